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
  readonly alerts: readonly { readonly name: string; readonly message: string }[];
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
  readonly memoryBytes: number | null;
  readonly diskUsedBytes: number | null;
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
