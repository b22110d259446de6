import { isHeard, type Measure, nowMs, samplesOf, status, totalOf } from '../api/cluster.ts';
import { usePolled } from '../api/polled.ts';
import type { ClusterDocument, ClusterEvent, NodeRow } from '../model/documents.ts';
import { bytes, clock, count, duration, plural, rate, UNKNOWN } from '../model/format.ts';
import { summaryOf } from '../model/summary.ts';
import { AlertItem } from '../parts/alert-item.tsx';
import { healthOf, Mark } from '../parts/mark.tsx';
import { Meter } from '../parts/meter.tsx';
import { MoveList } from '../parts/moves.tsx';
import { NodeName } from '../parts/node-name.tsx';
import { Empty, Panel, Scroller } from '../parts/panel.tsx';
import { Sparkline } from '../parts/sparkline.tsx';

export function OverviewPage() {
  const document = status.value;
  if (document === undefined) return <Empty>Asking the node…</Empty>;
  return (
    <>
      <Statement document={document} />
      {document.alerts.length > 0 && (
        <Panel title="Alerts" note={<a href="#/alerts">history and rules</a>} class="flush">
          <ul class="alerts">
            {document.alerts.map((alert) => (
              <AlertItem key={alert.name} alert={alert} />
            ))}
          </ul>
        </Panel>
      )}
      <Panel title="Nodes" class="flush">
        <NodeTable document={document} />
      </Panel>
      <div class="columns">
        <MoveList />
        <RecentEvents />
      </div>
    </>
  );
}

function Statement({ document }: { readonly document: ClusterDocument }) {
  const { health, headline, durability } = summaryOf(document);
  const { nodes, shards, cluster } = document;
  const up = nodes.filter(({ state }) => healthOf(state) === 'ok').length;
  return (
    <section class={`statement ${health}`} aria-label="The cluster">
      <div class="words">
        <p class="headline">
          <Mark health={health} />
          {headline}
        </p>
        <p class="quiet">{durability}</p>
      </div>
      <dl class="figures">
        <div>
          <dt>Nodes up</dt>
          <dd>
            {up}
            <small> of {nodes.length}</small>
          </dd>
          <dd class="below">
            {plural(shards.filter(({ kind }) => kind === 'shard').length, 'shard')}
          </dd>
        </div>
        <div>
          <dt>Durability now</dt>
          <dd>
            {cluster.durability.copies}
            <small> of {cluster.durability.replicas} copies</small>
          </dd>
          <dd class="below">
            <Copies {...cluster.durability} />
          </dd>
        </div>
        <Rate title="Messages" unit="/s" measure="publishesPerSecond" nodes={nodes} />
        <Rate title="Stored" unit="/s" measure="putsPerSecond" nodes={nodes} />
        <Rate title="Commit, 99 %" unit="ms" measure="commitP99Ms" nodes={nodes} />
      </dl>
    </section>
  );
}

function Copies({ copies, replicas }: { readonly copies: number; readonly replicas: number }) {
  return (
    <span class="copies" aria-hidden="true">
      {Array.from({ length: Math.min(replicas, 7) }, (_, at) => (
        <i key={at} class={at < copies ? 'full' : ''} />
      ))}
    </span>
  );
}

interface RateProps {
  readonly title: string;
  readonly unit: string;
  readonly measure: Measure;
  readonly nodes: readonly NodeRow[];
}

function Rate({ title, unit, measure, nodes }: RateProps) {
  const total = totalOf(nodes, measure);
  return (
    <div>
      <dt>{title}</dt>
      <dd>
        {rate(total)}
        {total !== undefined && <small> {unit}</small>}
      </dd>
      <dd class="below">
        <Sparkline values={samplesOf(undefined, measure)} width={150} height={24} />
      </dd>
    </div>
  );
}

function NodeTable({ document }: { readonly document: ClusterDocument }) {
  const { node, nodes } = document;
  const rows = [...nodes].sort((a, b) => (a.name < b.name ? -1 : 1));
  return (
    <Scroller label="Nodes">
      <table class="nodes">
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">State</th>
            <th scope="col">Zone</th>
            <th scope="col" class="number">
              Leads
            </th>
            <th scope="col">Messages /s</th>
            <th scope="col" class="number">
              Commit 99 %
            </th>
            <th scope="col" class="number">
              Loop delay
            </th>
            <th scope="col">Memory</th>
            <th scope="col">Disk</th>
            <th scope="col" class="number">
              Clients
            </th>
            <th scope="col">Up for</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <NodeLine key={row.id} row={row} isOwn={row.id === node.id} />
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

function NodeLine({ row, isOwn }: { readonly row: NodeRow; readonly isOwn: boolean }) {
  const { name, state, zone, leads, replicas, lastHeardMs } = row;
  const load: Partial<NodeRow> = isHeard(row) ? row : {};
  return (
    <tr>
      <th scope="row">
        <NodeName name={name} />
        {isOwn && <span class="tag">this one</span>}
      </th>
      <td data-label="State">
        <span class="state">
          <Mark health={healthOf(state)} />
          {state}
          {!isHeard(row) && <span class="quiet"> {duration(lastHeardMs)}</span>}
        </span>
      </td>
      <td data-label="Zone">{zone || UNKNOWN}</td>
      <td data-label="Leads" class="number" title={`${replicas} replicas, meta among them`}>
        {leads}
        <span class="quiet"> / {replicas}</span>
      </td>
      <td data-label="Messages /s">
        <span class="with-line">
          <span class="figure">{rate(load.publishesPerSecond)}</span>
          <Sparkline values={samplesOf(name, 'publishesPerSecond')} width={90} height={18} />
        </span>
      </td>
      <td data-label="Commit 99 %" class="number">
        {duration(load.commitP99Ms)}
      </td>
      <td data-label="Loop delay" class="number">
        {duration(load.loopDelayP99Ms)}
      </td>
      <td data-label="Memory">
        <Meter
          label={`Memory of ${name}`}
          text={ofBudget(load.memoryBytes, load.memoryMaxBytes)}
          value={load.memoryBytes}
          max={load.memoryMaxBytes}
        />
      </td>
      <td data-label="Disk">
        <Meter
          label={`Disk of ${name}`}
          text={diskText(load)}
          value={load.diskUsedBytes}
          max={load.diskFreeBytes == null ? null : (load.diskUsedBytes ?? 0) + load.diskFreeBytes}
        />
      </td>
      <td data-label="Clients" class="number">
        {count(load.connections)}
      </td>
      <td data-label="Up for" title={load.version ?? undefined}>
        {duration(load.uptimeMs)}
      </td>
    </tr>
  );
}

function ofBudget(used: number | null | undefined, max: number | null | undefined): string {
  return max ? `${bytes(used)} of ${bytes(max)}` : bytes(used);
}

/** Of the file system, which is what a node can run out of; a budget of its own is told beside it. */
function diskText({ diskUsedBytes, storageMaxBytes, diskFreeBytes }: Partial<NodeRow>): string {
  const free = diskFreeBytes == null ? bytes(diskUsedBytes) : `${bytes(diskFreeBytes)} free`;
  return storageMaxBytes ? `${free}, may use ${bytes(storageMaxBytes)}` : free;
}

function RecentEvents() {
  const { body, problem } = usePolled<{ events: readonly ClusterEvent[] }>(
    'v1/events',
    5_000,
  ).value;
  const events = [...(body?.events ?? [])].reverse().slice(0, 8);
  return (
    <Panel title="What happened lately">
      {events.length === 0 ? (
        <Empty>{problem ?? (body === undefined ? 'Asking…' : 'Nothing worth telling.')}</Empty>
      ) : (
        <ol class="events">
          {events.map((event) => (
            <li key={`${event.atMs} ${event.message}`}>
              <time dateTime={new Date(event.atMs).toISOString()}>
                {clock(event.atMs, nowMs.value)}
              </time>
              <span>{event.message}</span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
