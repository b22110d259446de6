import type { AlertsDocument } from '../../cli/alert-document.ts';

export type { AlertStatus as Alert, AlertsDocument } from '../../cli/alert-document.ts';
export type {
  NodeStatus as NodeRow,
  ShardStatus,
  StatusDocument as ClusterDocument,
  WhereDocument,
} from '../../cli/status-document.ts';

export type AlertRule = AlertsDocument['rules'][number];

export interface Move {
  readonly group: number;
  readonly reason: string;
  readonly state: 'waiting' | 'moving';
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly bytes: number;
  readonly detectedAtMs: number;
  readonly decidedAtMs: number | null;
  readonly msLeft: number | null;
}

export interface ClusterEvent {
  readonly atMs: number;
  readonly kind: string;
  readonly message: string;
}

type Maybe<T> = T | null | undefined;

export interface Refusal {
  readonly time: string | number;
  readonly code: string;
  readonly message: string;
  readonly client?: Maybe<string>;
  readonly user?: Maybe<string>;
  readonly topic?: Maybe<string>;
}

export interface RaftDocument {
  readonly node: string;
  readonly groups: readonly RaftGroup[];
}

export interface RaftGroup {
  readonly group: number;
  readonly role: string;
  readonly term: number;
  readonly leader: string | null;
  readonly commit: number;
  readonly applied: number;
  readonly first: number;
  readonly last: number;
  readonly peers: readonly RaftPeer[];
}

export interface RaftPeer {
  readonly id: number | string;
  readonly node: string;
  readonly match: number | null;
  readonly next: number | null;
  readonly state: string;
}
