import type { cluster } from '../../protos/index.ts';
import type { Clock } from '../env.ts';
import { isRemoved, type NodeRow } from '../settings/nodes.ts';
import { AttentiveTime } from './attentive-time.ts';
import { FailureDetector } from './failure-detector.ts';

/** What the heartbeats of a node say; display and routing only (DESIGN §9). */
export type MemberState = 'active' | 'suspect' | 'failed' | 'unknown';

export interface Member {
  readonly node: string;
  readonly name: string;
  readonly mqttAddress: string;
  readonly state: MemberState;
  /** What the node table says of it. */
  readonly row: NodeRow;
  readonly sinceHeardMs: number | undefined;
  readonly heartbeat: cluster.Heartbeat | undefined;
  /** Its clock against ours, when it was heard last. */
  readonly clockAheadMs: number | undefined;
}

/** Of every node; others may come between. */
export const HEARTBEAT_MS = 1_000;
const SUSPECT_PHI = 8;
const FAILED_AFTER_MS = 15_000;
/** Farther than this apart, clocks raise an alarm: no remote clock moves ours (DESIGN §3 ▣). */
export const CLOCK_SKEW_MAX_MS = 60_000;

interface Known {
  row: NodeRow;
  readonly detector: FailureDetector;
  /** When it came into the table here, in lived time. */
  readonly knownAtMs: number;
  heardAtMs: number | undefined;
  heartbeat: cluster.Heartbeat | undefined;
  clockSkewMs: number;
}

/** Who is in the cluster, as the node table says, and who was heard lately. */
export class Members {
  readonly #own: string;
  readonly #clock: Clock;
  readonly #time: AttentiveTime;
  readonly #known = new Map<string, Known>();

  constructor(options: {
    readonly own: string;
    readonly nodes: readonly NodeRow[];
    readonly clock: Clock;
  }) {
    this.#own = options.own;
    this.#clock = options.clock;
    this.#time = new AttentiveTime(options.clock.monotonicMs());
    this.follow(options.nodes);
  }

  /** From now on this is the node table. */
  follow(rows: readonly NodeRow[]): void {
    const listed = new Set(rows.map(({ node }) => node));
    for (const node of this.#known.keys()) if (!listed.has(node)) this.#known.delete(node);
    for (const row of rows) {
      const known = this.#known.get(row.node);
      if (known === undefined) this.#known.set(row.node, this.#newcomer(row));
      else known.row = row;
    }
  }

  heard(node: string, heartbeat: cluster.Heartbeat): void {
    const livedMs = this.#livedMs();
    const known = this.#known.get(node);
    if (known === undefined) return;
    known.detector.heard(livedMs);
    known.heardAtMs = this.#clock.monotonicMs();
    known.heartbeat = heartbeat;
    known.clockSkewMs = heartbeat.clockMs - this.#clock.nowMs();
  }

  heartbeatOf(node: string): cluster.Heartbeat | undefined {
    return this.#known.get(node)?.heartbeat;
  }

  /** Whether it takes part: neither dead nor gone. */
  has(node: string): boolean {
    const row = this.rowOf(node);
    return row !== undefined && !isRemoved(row);
  }

  /**
   * Whom heartbeats go to: all others that take part, and those that do not any more as long as they can be heard.
   * A heartbeat tells them where to learn about that.
   */
  others(): string[] {
    return [...this.#known]
      .filter(([, { row, heardAtMs }]) => !isRemoved(row) || heardAtMs !== undefined)
      .map(([node]) => node)
      .filter((node) => node !== this.#own && (this.has(node) || this.stateOf(node) !== 'failed'));
  }

  rowOf(node: string): NodeRow | undefined {
    return this.#known.get(node)?.row;
  }

  nameOf(node: string): string {
    return this.rowOf(node)?.name ?? node;
  }

  stateOf(node: string): MemberState {
    const livedMs = this.#livedMs();
    const known = this.#known.get(node);
    if (known === undefined) return 'unknown';
    if (node === this.#own) return 'active';
    const { detector, knownAtMs } = known;
    const silentMs = detector.silentMs(livedMs);
    if ((silentMs ?? livedMs - knownAtMs) >= FAILED_AFTER_MS) return 'failed';
    if (silentMs === undefined) return 'unknown';
    return detector.phi(livedMs) >= SUSPECT_PHI ? 'suspect' : 'active';
  }

  /** Everybody who is not gone. */
  list(): Member[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#known]
      .filter(([, { row }]) => row.state !== 'gone')
      .map(([node, { row, heardAtMs, heartbeat, clockSkewMs }]) => ({
        ...{ node, row, heartbeat, name: row.name },
        clockAheadMs: heartbeat === undefined ? undefined : clockSkewMs,
        // A node that has moved tells it before the table does.
        mqttAddress: heartbeat?.mqttAddress || row.mqttAddress,
        state: this.stateOf(node),
        sinceHeardMs: heardAtMs === undefined ? undefined : nowMs - heardAtMs,
      }));
  }

  /** Whether most of the others who are heard say that our clock is too far ahead. */
  get isAhead(): boolean {
    const heard = this.others().filter((node) => this.stateOf(node) === 'active');
    const behind = heard.filter((node) => {
      return (this.#known.get(node)?.clockSkewMs ?? 0) < -CLOCK_SKEW_MAX_MS;
    });
    return behind.length > heard.length / 2;
  }

  /** Nodes whose clock is too far from ours, with the difference. */
  skewed(): { readonly node: string; readonly skewMs: number }[] {
    return [...this.#known]
      .filter(([, known]) => Math.abs(known.clockSkewMs) > CLOCK_SKEW_MAX_MS)
      .map(([node, known]) => ({ node, skewMs: known.clockSkewMs }));
  }

  #newcomer(row: NodeRow): Known {
    return {
      row,
      detector: new FailureDetector({
        expectedMs: HEARTBEAT_MS,
        intervalMaxMs: FAILED_AFTER_MS,
      }),
      knownAtMs: this.#livedMs(),
      ...{ heardAtMs: undefined, heartbeat: undefined, clockSkewMs: 0 },
    };
  }

  /** Own heartbeats come every second, so the clock is looked at often enough. */
  #livedMs(): number {
    return this.#time.at(this.#clock.monotonicMs());
  }
}
