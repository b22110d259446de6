import { useEffect } from 'preact/hooks';
import { nowMs, reach, status, trouble } from './api/cluster.ts';
import { clock, duration } from './model/format.ts';
import { formatRoute, PAGES, type PageName } from './model/route.ts';
import { summaryOf } from './model/summary.ts';
import { AlertsPage } from './pages/alerts.tsx';
import { ChartsPage } from './pages/charts.tsx';
import { KeysPage } from './pages/keys.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { RefusedPage } from './pages/refused.tsx';
import { RingPage } from './pages/ring.tsx';
import { ShardsPage } from './pages/shards.tsx';
import { Mark } from './parts/mark.tsx';
import { ThemeSwitch } from './parts/theme.tsx';
import { route } from './router.ts';

const CONTENT: Readonly<Record<PageName, () => preact.JSX.Element>> = {
  overview: OverviewPage,
  ring: RingPage,
  keys: KeysPage,
  charts: ChartsPage,
  shards: ShardsPage,
  refused: RefusedPage,
  alerts: AlertsPage,
};

const TITLES: Readonly<Record<PageName, string>> = {
  overview: 'Overview',
  ring: 'Ring',
  keys: 'Keys',
  charts: 'Charts',
  shards: 'Shards',
  refused: 'Refused',
  alerts: 'Alerts',
};

export function App() {
  const { page } = route.value;
  const name = status.value?.node.name;
  useEffect(() => {
    document.title = `${TITLES[page]} · ${name === undefined ? 'DSS' : `DSS ${name}`}`;
  }, [page, name]);
  const Page = CONTENT[page];
  const isStale = reach.value.kind === 'silent' && status.value !== undefined;
  return (
    <>
      <button type="button" class="skip" onClick={() => document.querySelector('main')?.focus()}>
        Skip to content
      </button>
      <header class="top">
        <a class="brand" href="#/overview" aria-label="DSS, overview">
          <Glyph />
          <span>DSS</span>
        </a>
        <nav class="pages" aria-label="Pages">
          {PAGES.map((item) => (
            <a
              key={item}
              href={formatRoute(item)}
              aria-current={item === page ? 'page' : undefined}
            >
              {TITLES[item]}
              {item === 'alerts' && <AlertCount />}
            </a>
          ))}
        </nav>
        <SeenFrom />
        <ThemeSwitch />
      </header>
      <TroubleBanner />
      <main tabIndex={-1} class={isStale ? 'stale' : ''} data-page={page}>
        <h1 class="unseen">{TITLES[page]}</h1>
        <Page />
      </main>
      <Foot />
    </>
  );
}

function AlertCount() {
  const amount = status.value?.alerts.length ?? 0;
  if (amount === 0) return null;
  return <span class="badge">{amount}</span>;
}

/** Everything here is one node's view, so its name is always there. */
function SeenFrom() {
  const document = status.value;
  if (document === undefined) return <p class="seen-from" />;
  const isSilent = reach.value.kind !== 'answering';
  const health = isSilent ? 'critical' : summaryOf(document).health;
  return (
    <p class="seen-from" title={`Node ${document.node.id}`}>
      <Mark health={health} />
      <span>
        <span class="quiet">seen from </span>
        {document.node.name}
      </span>
    </p>
  );
}

function TroubleBanner() {
  const found = trouble.value;
  if (found === undefined) return null;
  const { severity, title, detail, sinceMs } = found;
  const others = reach.value.kind === 'silent' ? otherDoors() : [];
  return (
    <div class={`trouble ${severity}`} role="alert">
      <Mark health={severity} />
      <div>
        <strong>{title}</strong>
        {sinceMs !== undefined && (
          <span class="since" aria-hidden="true">
            since {clock(sinceMs, nowMs.value)}, {duration(nowMs.value - sinceMs)}
          </span>
        )}
        <p>
          {detail}
          {others.length > 0 && (
            <>
              {' '}
              Look from{' '}
              {others.map(({ name, url }, at) => (
                <>
                  {at > 0 && ', '}
                  <a href={url}>{name}</a>
                </>
              ))}
              .
            </>
          )}
        </p>
      </div>
    </div>
  );
}

/** The same page at nodes that were well when this one was last heard. Nobody is sent there without asking. */
function otherDoors(): { readonly name: string; readonly url: string }[] {
  const document = status.value;
  if (document === undefined) return [];
  return document.nodes.flatMap(({ id, name, http, state }) =>
    id === document.node.id || http === null || http === '' || state !== 'active'
      ? []
      : [{ name, url: `${location.protocol}//${http}/${location.hash}` }],
  );
}

function Foot() {
  const document = status.value;
  const own = document?.nodes.find(({ id }) => id === document.node.id);
  return (
    <footer class="foot">
      {own?.version != null && <span>DSS {own.version}</span>}
      {document !== undefined && document.cluster.id !== '' && (
        <span>cluster {document.cluster.id}</span>
      )}
      <a href="docs">HTTP API</a>
    </footer>
  );
}

function Glyph() {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" fill="none" stroke-width="4" aria-hidden="true">
      <path stroke="var(--node-1)" d="M17.6 5.1a11 11 0 0 1 8.2 15.6" />
      <path stroke="var(--node-2)" d="M24 23.6a11 11 0 0 1-16.7-.8" />
      <path stroke="var(--node-3)" d="M5.6 19.7A11 11 0 0 1 14.2 5.1" />
    </svg>
  );
}
