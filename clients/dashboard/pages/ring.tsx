import { isHeard, nowMs, status } from '../api/cluster.ts';
import type { ClusterDocument, Move, ShardStatus } from '../model/documents.ts';
import { listed, plural } from '../model/format.ts';
import { progressOf } from '../model/progress.ts';
import { bandsOf, pointAt, sectorPath } from '../model/ring-shape.ts';
import { formatRoute } from '../model/route.ts';
import { healthOf, Mark } from '../parts/mark.tsx';
import { Moves, useMoves } from '../parts/moves.tsx';
import { colourOf, NodeName } from '../parts/node-name.tsx';
import { Empty, Panel } from '../parts/panel.tsx';
import { route } from '../router.ts';

/** Keys hash to one of these (node/ring/slots.ts). */
const SLOTS = 256;
const OUTER = 236;
const INNER = 92;

export function RingPage() {
  const document = status.value;
  const { body, problem } = useMoves();
  if (document === undefined) return <Empty>Asking the node…</Empty>;
  const shards = document.shards.filter(({ kind }) => kind === 'shard');
  if (shards.length === 0) return <Empty>There are no shards before the cluster has formed.</Empty>;
  const chosen = shards.find(({ group }) => String(group) === route.value.subject);
  return (
    <div class="ring-page">
      <Panel
        title="Shards on nodes"
        note="full: leads · pale: follows · red edge: no leader · outside: slots"
        class="ring-panel"
      >
        <Ring document={document} shards={shards} moves={body?.moves ?? []} chosen={chosen} />
      </Panel>
      <div class="ring-side">
        <Panel title="Nodes, from outside in">
          <Shares document={document} shards={shards} />
        </Panel>
        <Panel title={chosen === undefined ? 'One shard' : `Shard ${chosen.group}`}>
          {chosen === undefined ? (
            <Empty>Choose one in the ring.</Empty>
          ) : (
            <ShardFacts shard={chosen} />
          )}
        </Panel>
        <Panel title="Moves">
          <Moves moves={body?.moves} problem={problem} />
        </Panel>
      </div>
    </div>
  );
}

interface RingProps {
  readonly document: ClusterDocument;
  readonly shards: readonly ShardStatus[];
  readonly moves: readonly Move[];
  readonly chosen: ShardStatus | undefined;
}

/** One ring per node; a shard is a sector of all of them, filled where a node has a replica of it. */
function Ring({ document, shards, moves, chosen }: RingProps) {
  const nodes = document.nodes.map(({ name }) => name).sort();
  const lost = new Set(document.nodes.filter((row) => !isHeard(row)).map(({ name }) => name));
  const bands = bandsOf(nodes.length, { inner: INNER, outer: OUTER, gap: 5 });
  return (
    <figure class={chosen === undefined ? 'ring' : 'ring has-chosen'}>
      <svg viewBox="-262 -262 524 524" aria-label="The ring of shards">
        {bands.map(({ inner: from, outer: to }, at) => (
          <circle key={nodes[at]} r={(from + to) / 2} class="track" stroke-width={to - from} />
        ))}
        {shards.map((shard) => (
          <Sector
            key={shard.group}
            shard={shard}
            nodes={nodes}
            lost={lost}
            bands={bands}
            move={moves.find(({ group }) => group === shard.group)}
            isChosen={shard.group === chosen?.group}
          />
        ))}
        {[0, 64, 128, 192].map((slot) => {
          const { x, y } = pointAt(slot / SLOTS, OUTER + 17);
          return (
            <text key={slot} x={x} y={y} class="slot">
              {slot}
            </text>
          );
        })}
        <Centre document={document} chosen={chosen} amount={shards.length} />
      </svg>
    </figure>
  );
}

interface SectorProps {
  readonly shard: ShardStatus;
  readonly nodes: readonly string[];
  /** Of these nothing is heard. */
  readonly lost: ReadonlySet<string>;
  readonly bands: readonly { readonly inner: number; readonly outer: number }[];
  readonly move: Move | undefined;
  readonly isChosen: boolean;
}

function Sector({ shard, nodes, lost, bands, move, isChosen }: SectorProps) {
  const { group, leader, replicas, firstSlot, slotCount } = shard;
  const turn = { begin: firstSlot / SLOTS, end: (firstSlot + slotCount) / SLOTS };
  const whole = { outer: OUTER + 5, inner: (bands.at(-1)?.inner ?? INNER) - 5 };
  const progress = move === undefined ? undefined : progressOf(move, nowMs.value);
  const led = leader === null ? 'no leader' : `led by ${leader}`;
  const moving = move === undefined ? '' : `, moving to ${listed(move.to)}`;
  const label = `Shard ${group}: ${led}, replicas on ${listed(replicas)}${moving}`;
  return (
    <a
      href={formatRoute('ring', String(group))}
      aria-label={label}
      aria-current={isChosen ? 'true' : undefined}
      class={isChosen ? 'sector chosen' : 'sector'}
    >
      <title>{label}</title>
      {nodes.map((name, at) => {
        const band = bands[at];
        const role = roleOf(name, { shard, lost, move });
        if (band === undefined || role === undefined) return null;
        return (
          <path
            key={name}
            class={role}
            style={{ '--node': colourOf(name) }}
            d={sectorPath(turn, band)}
          />
        );
      })}
      {leader === null && (
        <path class="leaderless" d={sectorPath(turn, { outer: OUTER + 7, inner: OUTER + 2 })} />
      )}
      <path class="whole" d={sectorPath(turn, whole)} />
      {progress !== undefined && (
        <path
          class="progress"
          d={sectorPath(
            { begin: turn.begin, end: turn.begin + (turn.end - turn.begin) * progress },
            { outer: OUTER + 7, inner: OUTER + 2 },
          )}
        />
      )}
    </a>
  );
}

/** What a node is to a shard; undefined: nothing. */
function roleOf(
  name: string,
  { shard, lost, move }: Pick<SectorProps, 'shard' | 'lost' | 'move'>,
): 'coming' | 'lost' | 'leads' | 'follows' | undefined {
  if (move?.to.includes(name) === true) return 'coming';
  if (!shard.replicas.includes(name)) return undefined;
  if (lost.has(name)) return 'lost';
  return name === shard.leader ? 'leads' : 'follows';
}

interface CentreProps {
  readonly document: ClusterDocument;
  readonly chosen: ShardStatus | undefined;
  readonly amount: number;
}

function Centre({ document, chosen, amount }: CentreProps) {
  const { copies, replicas } = document.cluster.durability;
  const meta = document.shards.find(({ kind }) => kind === 'meta');
  const lines =
    chosen === undefined
      ? [
          String(amount),
          amount === 1 ? 'shard' : 'shards',
          `${copies} of ${replicas} copies at once`,
        ]
      : [String(chosen.group), `slots ${slotsOf(chosen)}`, chosen.leader ?? 'no leader'];
  return (
    <g class="centre">
      <text y="-4" class="large">
        {lines[0]}
      </text>
      <text y="20">{lines[1]}</text>
      <text y="40" class="faint">
        {lines[2]}
      </text>
      {meta !== undefined && chosen === undefined && (
        <text y="60" class="faint">
          {meta.leader === null ? 'meta has no leader' : `meta on ${meta.leader}`}
        </text>
      )}
    </g>
  );
}

const slotsOf = ({ firstSlot, slotCount }: ShardStatus): string =>
  slotCount === 1 ? `${firstSlot}` : `${firstSlot}–${firstSlot + slotCount - 1}`;

/** The legend, and how much falls to each. */
function Shares({ document, shards }: Pick<RingProps, 'document' | 'shards'>) {
  const rows = [...document.nodes].sort((a, b) => (a.name < b.name ? -1 : 1));
  return (
    <table class="shares">
      <thead>
        <tr>
          <th scope="col">Node</th>
          <th scope="col">State</th>
          <th scope="col" class="number">
            Leads
          </th>
          <th scope="col" class="number">
            Holds
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ id, name, state }) => (
          <tr key={id}>
            <th scope="row">
              <NodeName name={name} />
            </th>
            <td>
              <span class="state">
                <Mark health={healthOf(state)} /> {state}
              </span>
            </td>
            <td class="number">{shards.filter(({ leader }) => leader === name).length}</td>
            <td class="number">
              {shards.filter(({ replicas }) => replicas.includes(name)).length}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ShardFacts({ shard }: { readonly shard: ShardStatus }) {
  const { group, leader, replicas, term, slotCount } = shard;
  return (
    <dl class="facts-list">
      <dt>Slots</dt>
      <dd>
        {slotsOf(shard)}{' '}
        <span class="quiet">
          ({plural(slotCount, 'slot')} of {SLOTS})
        </span>
      </dd>
      <dt>Leader</dt>
      <dd>{leader === null ? 'none' : <NodeName name={leader} />}</dd>
      <dt>Replicas</dt>
      <dd class="names">
        {replicas.map((name) => (
          <NodeName key={name} name={name} />
        ))}
      </dd>
      <dt>Term</dt>
      <dd>{term}</dd>
      <dt>Raft</dt>
      <dd>
        <a href={formatRoute('shards', String(group))}>log and followers</a>
      </dd>
    </dl>
  );
}
