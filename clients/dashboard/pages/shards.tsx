import { status } from '../api/cluster.ts';
import { usePolled } from '../api/polled.ts';
import type { RaftDocument, RaftGroup, ShardStatus } from '../model/documents.ts';
import { count, UNKNOWN } from '../model/format.ts';
import { formatRoute } from '../model/route.ts';
import { Mark } from '../parts/mark.tsx';
import { NodeName } from '../parts/node-name.tsx';
import { Empty, Panel, Scroller } from '../parts/panel.tsx';
import { route } from '../router.ts';

/** Raft per shard, as this node sees it: in full where it leads, else its own replica. */
export function ShardsPage() {
  const document = status.value;
  const { body, problem } = usePolled<RaftDocument>('debug/raft', 2_000).value;
  if (document === undefined) return <Empty>Asking the node…</Empty>;
  const chosen = route.value.subject;
  const raft = body?.groups.find(({ group }) => String(group) === chosen);
  return (
    <>
      {chosen !== undefined && (
        <Panel
          title={`Followers of shard ${chosen}`}
          note={raft === undefined ? undefined : logText(raft)}
          class="flush"
        >
          <Followers raft={raft} problem={problem} isAsked={body !== undefined} />
        </Panel>
      )}
      <Panel title={`Raft, as ${document.node.name} sees it`} class="flush">
        <Scroller label="Shards">
          <table class="shards">
            <thead>
              <tr>
                <th scope="col">Shard</th>
                <th scope="col">Leader</th>
                <th scope="col">Replicas</th>
                <th scope="col">Here</th>
                <th scope="col" class="number">
                  Term
                </th>
                <th scope="col" class="number">
                  Last
                </th>
                <th scope="col" class="number">
                  Committed
                </th>
                <th scope="col" class="number">
                  Applied
                </th>
                <th scope="col" class="number">
                  Lag
                </th>
              </tr>
            </thead>
            <tbody>
              {document.shards.map((shard) => (
                <ShardLine
                  key={shard.group}
                  shard={shard}
                  raft={body?.groups.find(({ group }) => group === shard.group)}
                  isChosen={String(shard.group) === chosen}
                />
              ))}
            </tbody>
          </table>
        </Scroller>
      </Panel>
    </>
  );
}

interface ShardLineProps {
  readonly shard: ShardStatus;
  readonly raft: RaftGroup | undefined;
  readonly isChosen: boolean;
}

function ShardLine({ shard, raft, isChosen }: ShardLineProps) {
  const { group, kind, leader, replicas, local, term } = shard;
  const suspect = local?.suspect ?? null;
  return (
    <tr aria-current={isChosen ? 'true' : undefined}>
      <th scope="row">
        <a href={formatRoute('shards', String(group))}>
          {group}
          {kind === 'meta' && ' meta'}
        </a>
      </th>
      <td>
        {leader === null ? (
          <span class="state">
            <Mark health="critical" /> none
          </span>
        ) : (
          <NodeName name={leader} />
        )}
      </td>
      <td class="names">
        {replicas.map((name) => (
          <NodeName key={name} name={name} isLeader={name === leader} />
        ))}
      </td>
      <td>
        {suspect === null ? (
          (local?.role ?? <span class="quiet">no replica</span>)
        ) : (
          <span class="state">
            <Mark health="critical" /> not trusted: {suspect}
          </span>
        )}
      </td>
      <td class="number">{count(local?.term ?? term)}</td>
      <td class="number">{count(local?.last)}</td>
      <td class="number">{count(local?.commit)}</td>
      <td class="number">{count(local?.applied)}</td>
      <td class="number">{lagOf(shard, raft)}</td>
    </tr>
  );
}

/** Of a leader, how far its slowest follower is behind; of a follower, how much it has yet to apply. */
function lagOf({ local }: ShardStatus, raft: RaftGroup | undefined): string {
  if (local?.role === 'leader' && raft !== undefined) {
    const behind = raft.peers.flatMap(({ match }) => (match === null ? [] : raft.last - match));
    if (behind.length > 0) return count(Math.max(0, ...behind));
  }
  if (local?.last === undefined || local.applied === undefined) return UNKNOWN;
  return count(local.last - local.applied);
}

interface FollowersProps {
  readonly raft: RaftGroup | undefined;
  readonly problem: string | undefined;
  readonly isAsked: boolean;
}

function Followers({ raft, problem, isAsked }: FollowersProps) {
  if (raft === undefined) {
    const why = isAsked ? 'This node has no replica of it.' : (problem ?? 'Asking…');
    return <Empty>{why}</Empty>;
  }
  if (raft.peers.length === 0) {
    return <Empty>Only the leader{leaderText(raft)} knows how far its followers are.</Empty>;
  }
  return (
    <Scroller label="Followers">
      <table class="followers">
        <thead>
          <tr>
            <th scope="col">Follower</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Has
            </th>
            <th scope="col" class="number">
              Next
            </th>
            <th scope="col" class="number">
              Behind
            </th>
            <th scope="col">Of what is in the log</th>
          </tr>
        </thead>
        <tbody>
          {raft.peers.map(({ id, node, match, next, state }) => (
            <tr key={id}>
              <th scope="row">
                <NodeName name={node} />
              </th>
              <td>{state}</td>
              <td class="number">{count(match)}</td>
              <td class="number">{count(next)}</td>
              <td class="number">
                {match === null ? UNKNOWN : count(Math.max(0, raft.last - match))}
              </td>
              <td>
                <span class="bar wide" aria-hidden="true">
                  <span style={{ width: `${shareOf(match, raft) * 100}%` }} />
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

const leaderText = ({ leader }: RaftGroup): string => (leader === null ? '' : `, ${leader},`);

/** Of the entries that the leader still has. */
function shareOf(match: number | null, { first, last }: RaftGroup): number {
  if (match === null || match < first - 1) return 0;
  return last < first ? 1 : Math.min(1, (match - first + 1) / (last - first + 1));
}

/** The rest is in the tables. */
function logText({ first, last }: RaftGroup): string {
  return last < first ? 'the log is empty' : `the log has ${count(first)} to ${count(last)}`;
}
