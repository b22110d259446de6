import type { DataPlane } from '../../broker/data-plane.ts';
import type { IngestLimits } from '../../broker/ingest-rules/ingest-message.ts';
import type { cluster } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import type { Member, Members } from '../membership/members.ts';
import { isRemoved } from '../settings/nodes.ts';
import { setLeases } from '../settings/settings.ts';
import type { SettingsService } from '../settings/settings-service.ts';
import type { ForeignBrokers } from './foreign-broker.ts';
import { decideLeases, type Holder } from './leases.ts';
import { type Link, NO_PROGRESS } from './link.ts';
import { Sink } from './sink.ts';
import { Source } from './source.ts';

const LOOK_MS = 1_000;
/**
 * A node that has not heard from a majority for so long lets go of what it holds. Others take it over when they have
 * not heard from that node for 15 s: longer than this, and than what it had under way can take (a put has 10 s).
 */
const CONTACT_MS = 10_000;

export interface BesideOptions {
  readonly env: Env;
  readonly links: readonly Link[];
  readonly brokers: ForeignBrokers;
  readonly limits: IngestLimits;
}

/** The cluster that this node has joined, as far as it matters here. */
export interface BesideCluster {
  readonly clusterId: string;
  readonly own: string;
  readonly dataPlane: DataPlane;
  readonly members: Pick<Members, 'list'>;
  readonly settings: Pick<SettingsService, 'current' | 'change' | 'onChange'>;
  /** Whether this node leads the meta group. */
  readonly leadsMeta: () => boolean;
}

/**
 * Sources and sinks beside other brokers: each is held by one node at a time, as the leases in the settings say. The
 * leader of the meta group gives them out, among the nodes whose configuration has the source or sink.
 */
export class Beside {
  readonly #options: BesideOptions;
  readonly #held = new Map<string, Source | Sink>();
  #cluster: BesideCluster | undefined;
  #isDeciding = false;
  #cancels: (() => void)[] = [];

  constructor(options: BesideOptions) {
    this.#options = options;
  }

  /** For heartbeats: what this node could hold, from its start on, and how it is with what it holds. */
  reports(): cluster.LinkReport.$Properties[] {
    return this.#options.links.map(({ kind, name, target }) => ({
      ...{ kind, name, url: target.url },
      ...(this.#held.get(name)?.progress ?? NO_PROGRESS),
    }));
  }

  start(joined: BesideCluster): void {
    this.#cluster = joined;
    this.#cancels = [
      this.#options.env.timers.every(LOOK_MS, () => {
        this.#decide(joined);
        this.#follow(joined);
      }),
      joined.settings.onChange(() => this.#follow(joined)),
    ];
    this.#follow(joined);
  }

  stop(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#cluster = undefined;
    for (const [name, held] of this.#held) {
      this.#held.delete(name);
      held.stop();
    }
  }

  #decide({ settings, members, leadsMeta }: BesideCluster): void {
    // Revision 0: the first settings, with the rules of the configuration file, are still to come.
    if (this.#isDeciding || !leadsMeta() || settings.current.revision === 0) return;
    const { leases } = settings.current;
    if (decideLeases(leases, members.list().map(holderOf)) === leases) return;
    this.#isDeciding = true;
    // What does not succeed is tried again at the next look.
    void settings
      .change((known) => setLeases(known, decideLeases(known.leases, members.list().map(holderOf))))
      .finally(() => {
        this.#isDeciding = false;
      });
  }

  #follow(joined: BesideCluster): void {
    if (this.#cluster !== joined) return;
    const { settings, own } = joined;
    const isInTouch = this.#isInTouch(joined);
    for (const link of this.#options.links) {
      const lease = settings.current.leases.find(({ name }) => name === link.name);
      const isOurs = isInTouch && lease?.node === own;
      const held = this.#held.get(link.name);
      if (isOurs && held === undefined) this.#take(link, joined);
      if (isOurs || held === undefined) continue;
      this.#held.delete(link.name);
      held.stop();
    }
  }

  #take(link: Link, { clusterId, dataPlane }: BesideCluster): void {
    const { env, brokers, limits } = this.#options;
    const clientId = `dss-${clusterId}-${link.name}`;
    const shared = { env, brokers, clientId, dataPlane };
    const held =
      link.kind === 'source'
        ? new Source({ ...shared, link, limits })
        : new Sink({ ...shared, link });
    this.#held.set(link.name, held);
    held.start();
  }

  #isInTouch({ members }: BesideCluster): boolean {
    const part = members.list().filter(({ row }) => !isRemoved(row));
    const heard = part.filter(({ sinceHeardMs = Infinity }) => sinceHeardMs < CONTACT_MS);
    return heard.length > part.length / 2;
  }
}

function holderOf({ node, row, state, heartbeat }: Member): Holder {
  const links = (heartbeat?.links ?? []).map(({ name = '' }) => name);
  const isOut = row.state !== 'active' || state === 'failed';
  return { node, links, state: isOut ? 'out' : state === 'active' ? 'well' : 'silent' };
}
