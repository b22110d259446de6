import type { AlertStatus } from './alert-document.ts';

/** What `GET /v1/cluster` and `GET /v1/where` answer: the parts that the command line and the tests read. */
export interface StatusDocument {
  readonly node: {
    readonly id: string;
    readonly name: string;
    readonly startCounter: number;
    readonly mqtt: string;
    readonly http: string;
  };
  readonly cluster: {
    readonly id: string;
    readonly state: 'ok' | 'degraded' | 'no-quorum' | 'forming';
    readonly durability: { readonly copies: number; readonly replicas: number };
  };
  readonly nodes: readonly NodeStatus[];
  readonly shards: readonly ShardStatus[];
  /** Absent, like `log`, until the node has joined its cluster. */
  readonly storage?: Readonly<Record<string, number>>;
  readonly log?: Readonly<Record<string, number>>;
  readonly broker: Readonly<Record<string, number>>;
  readonly process: {
    readonly processId: number;
    /** By the clock of the node, when it answered. */
    readonly timeMs: number;
    readonly uptimeMs: number;
    readonly cpuUserMicros: number;
    readonly cpuSystemMicros: number;
    readonly memoryBytes: number;
    /** What its time has gone to, by stage. */
    readonly stages?: Readonly<
      Record<string, { readonly micros: number; readonly messages: number }>
    >;
  };
  readonly links: readonly LinkStatus[];
  /** Those that fire. */
  readonly alerts: readonly AlertStatus[];
}

export interface NodeStatus {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly mqtt: string;
  readonly http: string | null;
  readonly leads: number;
  readonly replicas: number;
  readonly lastHeardMs: number | null;
  readonly zone: string;
  /** What the node says of itself: null as long as nothing was heard of it. */
  readonly version: string | null;
  readonly uptimeMs: number | null;
  /** Of clients, of any kind, and the puts and deletes of them: in the last seconds, at this node. */
  readonly publishesPerSecond: number | null;
  readonly putsPerSecond: number | null;
  /** From put received to committed, in the last ten seconds; null: there was none. */
  readonly commitP99Ms: number | null;
  readonly loopDelayP99Ms: number | null;
  readonly memoryBytes: number | null;
  /** 0: no limit is known. */
  readonly memoryMaxBytes: number | null;
  readonly diskUsedBytes: number | null;
  readonly diskFreeBytes: number | null;
  /** Of log and tables; 0: no budget. */
  readonly storageMaxBytes: number | null;
  /** At the node's broker, clients and nodes alike. */
  readonly connections: number | null;
}

export interface ShardStatus {
  readonly group: number;
  /** `meta` is group 0, which holds no values. */
  readonly kind: 'meta' | 'shard';
  readonly firstSlot: number;
  readonly slotCount: number;
  readonly leader: string | null;
  readonly term: number;
  readonly replicas: readonly string[];
  /** Absent where this node has no replica; of a suspect replica nothing but that is known. */
  readonly local?: {
    readonly role?: string;
    readonly term?: number;
    readonly commit?: number;
    readonly applied?: number;
    readonly last?: number;
    readonly suspect: string | null;
  };
}

/** A source or sink beside another broker. */
export interface LinkStatus {
  readonly name: string;
  readonly kind: string;
  readonly url: string;
  /** The node that is connected for it; null: none is to be. */
  readonly holder: string | null;
  readonly connected: boolean;
  readonly messages: number;
  readonly ignored: number;
  readonly error: string;
}

export interface WhereDocument {
  readonly key: string;
  readonly group: number;
  readonly firstSlot: number;
  readonly leader: string | null;
  readonly replicas: readonly string[];
}
