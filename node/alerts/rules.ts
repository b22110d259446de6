export type RuleName = keyof typeof RULES;
export type Severity = 'critical' | 'warning';

/** One thing that somebody should look at, and from when on. */
export interface Rule {
  readonly severity: Severity;
  /** `node`: only the node that has found it knows of it, and tells the others. `cluster`: every node sees it by itself. */
  readonly scope: 'node' | 'cluster';
  /** From here on it holds; null: it does or does not. */
  readonly threshold: number | null;
  readonly unit: string;
  /** It fires when it has held for so long, and is over when it has not for as long. */
  readonly forSeconds: number;
  readonly description: string;
  /** What to do. `{subject}` is what the alert is about. */
  readonly advice: string;
}

/** One per kind of alert; docs/ALERTS.md says more of each. */
export const RULES = {
  'node-failed': {
    severity: 'critical',
    scope: 'cluster',
    ...holds(0),
    description: 'Nothing is heard of a node that belongs to the cluster.',
    advice:
      'Look at the machine and at its network, and start {subject} again with the data it has. If it is lost for ever, put another one in its place: dss node --join … --replace {subject}.',
  },
  'shard-without-quorum': {
    severity: 'critical',
    scope: 'cluster',
    ...holds(10),
    description: 'A shard has no leader: its keys can be neither written nor read.',
    advice:
      'Start the nodes that are down: a shard needs most of its replicas. If they are lost for ever, stop a node that has a copy and read dss recover --help.',
  },
  'under-replicated': {
    severity: 'warning',
    scope: 'cluster',
    ...holds(120),
    description: 'A shard has fewer replicas on nodes that are heard than it should have.',
    advice:
      'Start the node that is missing, or add one. dss moves shows whether the others are making new replicas already.',
  },
  'storage-full': {
    severity: 'critical',
    scope: 'cluster',
    ...holds(0),
    description:
      'A node has used up storage.maxBytes and has no history left to drop: puts to its shards are refused.',
    advice:
      'Delete what is not needed, keep less history (dss retention), raise storage.maxBytes of {subject}, or add a node.',
  },
  'disk-over-budget': {
    severity: 'warning',
    scope: 'cluster',
    ...above(100, '% of storage.maxBytes', 60),
    description: 'Log and tables of a node take more than its storage.maxBytes.',
    advice:
      'Old history goes by itself. If this lasts, keep less of it (dss retention), raise storage.maxBytes of {subject}, or add a node.',
  },
  'disk-nearly-full': {
    severity: 'critical',
    scope: 'cluster',
    ...above(90, '% of the disk used', 30),
    description: 'The disk with the data of a node is nearly full, whoever fills it.',
    advice:
      'Make room on the disk of {subject}: a node whose disk is full stops. Set storage.maxBytes so that old history goes in time.',
  },
  'memory-over-budget': {
    severity: 'warning',
    scope: 'cluster',
    ...above(90, '% of the memory limit', 60),
    description:
      'The process of a node takes nearly all the memory that its container or unit may have.',
    advice:
      'Raise the limit of {subject} before it is killed, or have it need less: connections, subscriptions and queues (limits.*), memtableBytes.',
  },
  'loop-delay': {
    severity: 'warning',
    scope: 'cluster',
    ...above(250, 'ms (99th percentile)', 30),
    description: 'A node is late: its event loop is held up, and with it every answer.',
    advice:
      'See whether other programs take the processor of {subject}, or whether it has more clients than it can serve: spread them over the nodes.',
  },
  'commit-latency': {
    severity: 'warning',
    scope: 'cluster',
    ...above(1_000, 'ms (99th percentile)', 60),
    description: 'Puts that reach a node take long until a quorum has them on disk.',
    advice:
      'Look at the disks (fsync) and at the network of the nodes that hold the shards, and at what else uses them. dss doctor measures both.',
  },
  'clock-skew': {
    severity: 'warning',
    scope: 'cluster',
    ...above(60, 's', 5),
    description: 'The clock of a node is far from those of the others.',
    advice:
      'Have {subject} keep time (chrony or systemd-timesyncd). Until then times of its values are wrong or not believed, and nothing expires where a clock is ahead.',
  },
  'table-damaged': {
    severity: 'critical',
    scope: 'node',
    ...holds(0),
    description:
      'Tables of a node are damaged, and there is no other replica to get their values from.',
    advice:
      'Start the nodes that hold other replicas: the damaged ones are then replaced by themselves. Without them, restore a backup. Check the disk of {subject}.',
  },
  'replica-suspect': {
    severity: 'warning',
    scope: 'node',
    ...holds(0),
    description: 'Replicas on a node cannot be trusted; they vote, acknowledge and serve nothing.',
    advice:
      'They are replaced by themselves as soon as the others of their groups are there (dss moves). If it comes again, check the disk and the memory of {subject}.',
  },
  'replica-differs': {
    severity: 'critical',
    scope: 'node',
    ...holds(0),
    description: 'Replicas of a group do not hold the same.',
    advice:
      'Where most agree, the others are replaced by themselves. Where none do, compare the values (dss verify, dss get --consistency eventual) and write the right ones again, or have one node leave.',
  },
  'replica-halted': {
    severity: 'critical',
    scope: 'node',
    ...holds(0),
    description: 'Replicas on a node cannot go on with what the log says.',
    advice:
      'Start {subject} again. If that does not help, it is damaged or older than what was written: upgrade it, or replace it with --replace {subject}.',
  },
  'messages-dropped': {
    severity: 'warning',
    scope: 'node',
    ...above(100, 'messages a minute', 0),
    description: 'Ordinary messages did not reach subscribers: their queues were full.',
    advice:
      'Find subscribers that are slow or offline for long with persistent sessions; have them subscribe to less, or raise limits.queuedMessagesMax and limits.queuedBytesMax.',
  },
  'client-id-fought-over': {
    severity: 'warning',
    scope: 'node',
    ...holds(0),
    description: 'Two connections keep taking a client id from each other; neither works.',
    advice: 'Give each device a client id of its own.',
  },
  'link-down': {
    severity: 'warning',
    scope: 'cluster',
    ...holds(10),
    description: 'A source or sink is not connected to its broker.',
    advice:
      'Look at that broker, at the network to it, and at user and password in the configuration of {subject}.',
  },
} as const satisfies Readonly<Record<string, Rule>>;

export const RULE_NAMES = Object.keys(RULES) as RuleName[];

/** What alerts about all of the cluster are about. */
export const CLUSTER = 'cluster';

const NAME_LENGTH_MAX = 100;

/** By which everybody knows the alert; one level of a topic. */
export function alertName(rule: RuleName, subject: string): string {
  if (subject === CLUSTER) return rule;
  return `${rule}-${encodeURIComponent(subject).slice(0, NAME_LENGTH_MAX)}`;
}

export function adviceOf(rule: RuleName, subject: string): string {
  return RULES[rule].advice.replaceAll('{subject}', () => subject);
}

export function isRuleName(name: string): name is RuleName {
  return Object.hasOwn(RULES, name);
}

/** What a configuration may say of a rule. */
export interface RuleSetting {
  readonly enabled?: boolean;
  readonly threshold?: number;
  readonly forSeconds?: number;
}

export type RuleSettings = Readonly<Partial<Record<RuleName, RuleSetting>>>;

export type RuleInForce = Pick<Rule, 'severity' | 'scope' | 'threshold' | 'forSeconds'> & {
  readonly isEnabled: boolean;
};

/** The table, as this node was told to read it. */
export function rulesInForce(settings: RuleSettings): Readonly<Record<RuleName, RuleInForce>> {
  const rules = RULE_NAMES.map((name) => {
    const { enabled = true, ...changes } = settings[name] ?? {};
    return [name, { ...RULES[name], ...changes, isEnabled: enabled }];
  });
  return Object.fromEntries(rules) as Record<RuleName, RuleInForce>;
}

function holds(forSeconds: number) {
  return { threshold: null, unit: '', forSeconds } as const;
}

function above(threshold: number, unit: string, forSeconds: number) {
  return { threshold, unit, forSeconds } as const;
}
