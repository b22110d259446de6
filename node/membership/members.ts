import type { cluster } from '../../protos/index.ts';
import type { Clock } from '../env.ts';

/** What the heartbeats of a node say; display and routing only (DESIGN §9). */
export type MemberState = 'active' | 'suspect' | 'failed' | 'unknown';

export interface Member {
  readonly node: string;
  readonly name: string;
  readonly mqttAddress: string;
  readonly state: MemberState;
  readonly sinceHeardMs: number | undefined;
  readonly heartbeat: cluster.Heartbeat | undefined;
}

const SUSPECT_AFTER_MS = 4_000;
const FAILED_AFTER_MS = 15_000;
/** Farther than this apart, clocks raise an alarm: no remote clock moves ours (DESIGN §3 ▣). */
export const CLOCK_SKEW_MAX_MS = 60_000;

interface Known {
  readonly name: string;
  readonly mqttAddress: string;
  heardAtMs: number | undefined;
  heartbeat: cluster.Heartbeat | undefined;
  clockSkewMs: number;
}

/** Who is in the cluster and who was heard lately. */
export class Members {
  readonly #own: string;
  readonly #clock: Clock;
  readonly #startedAtMs: number;
  readonly #known = new Map<string, Known>();

  constructor(options: {
    readonly own: string;
    readonly nodes: readonly {
      readonly node: string;
      readonly name: string;
      readonly mqttAddress: string;
    }[];
    readonly clock: Clock;
  }) {
    this.#own = options.own;
    this.#clock = options.clock;
    this.#startedAtMs = options.clock.monotonicMs();
    for (const { node, name, mqttAddress } of options.nodes) {
      this.#known.set(node, {
        name,
        mqttAddress,
        heardAtMs: undefined,
        heartbeat: undefined,
        clockSkewMs: 0,
      });
    }
  }

  heard(node: string, heartbeat: cluster.Heartbeat): void {
    const known = this.#known.get(node);
    if (known === undefined) return;
    known.heardAtMs = this.#clock.monotonicMs();
    known.heartbeat = heartbeat;
    known.clockSkewMs = heartbeat.clockMs - this.#clock.nowMs();
  }

  heartbeatOf(node: string): cluster.Heartbeat | undefined {
    return this.#known.get(node)?.heartbeat;
  }

  has(node: string): boolean {
    return this.#known.has(node);
  }

  others(): string[] {
    return [...this.#known.keys()].filter((node) => node !== this.#own);
  }

  nameOf(node: string): string {
    return this.#known.get(node)?.name ?? node;
  }

  addressOf(node: string): string | undefined {
    return this.#known.get(node)?.mqttAddress;
  }

  stateOf(node: string): MemberState {
    const known = this.#known.get(node);
    if (known === undefined) return 'unknown';
    if (node === this.#own) return 'active';
    const silentMs = this.#clock.monotonicMs() - (known.heardAtMs ?? this.#startedAtMs);
    if (silentMs >= FAILED_AFTER_MS) return 'failed';
    if (known.heardAtMs === undefined) return 'unknown';
    return silentMs >= SUSPECT_AFTER_MS ? 'suspect' : 'active';
  }

  list(): Member[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#known].map(([node, known]) => ({
      node,
      name: known.name,
      mqttAddress: known.mqttAddress,
      state: this.stateOf(node),
      sinceHeardMs: known.heardAtMs === undefined ? undefined : nowMs - known.heardAtMs,
      heartbeat: known.heartbeat,
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
}
