import type { NodeStatus, StatusDocument } from '../../cli/status-document.ts';

export type { ShardStatus, WhereDocument } from '../../cli/status-document.ts';

type Maybe<T> = T | null | undefined;

/** A node, with what its heartbeat says of its load. */
export interface NodeRow extends NodeStatus {
  readonly zone?: Maybe<string>;
  readonly version?: Maybe<string>;
  readonly uptimeMs?: Maybe<number>;
  readonly publishesPerSecond?: Maybe<number>;
  readonly putsPerSecond?: Maybe<number>;
  readonly commitP99Ms?: Maybe<number>;
  readonly loopDelayP99Ms?: Maybe<number>;
  readonly diskFreeBytes?: Maybe<number>;
  readonly storageMaxBytes?: Maybe<number>;
  readonly memoryMaxBytes?: Maybe<number>;
  readonly connections?: Maybe<number>;
}

export interface ClusterDocument extends Omit<StatusDocument, 'nodes' | 'alerts'> {
  readonly nodes: readonly NodeRow[];
  readonly alerts: readonly Alert[];
}

export interface Alert {
  readonly name: string;
  readonly message: string;
  readonly rule?: string;
  readonly subject?: string;
  readonly severity?: 'critical' | 'warning';
  readonly state?: 'pending' | 'firing' | 'resolved';
  readonly since?: string;
  readonly until?: string;
  readonly advice?: string;
}

export interface AlertsDocument {
  readonly alerts: readonly Alert[];
  readonly history: readonly Alert[];
  readonly rules: readonly AlertRule[];
}

export interface AlertRule {
  readonly rule: string;
  readonly severity: string;
  readonly threshold: Maybe<number>;
  readonly unit: Maybe<string>;
  readonly forSeconds: number;
  readonly description: string;
}

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
