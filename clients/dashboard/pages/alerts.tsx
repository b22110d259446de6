import { usePolled } from '../api/polled.ts';
import type { Alert, AlertRule, AlertsDocument } from '../model/documents.ts';
import { count, duration, UNKNOWN } from '../model/format.ts';
import { AlertItem } from '../parts/alert-item.tsx';
import { Empty, Panel, Scroller } from '../parts/panel.tsx';

const HISTORY_MAX = 200;

export function AlertsPage() {
  const { body, problem } = usePolled<AlertsDocument>('v1/alerts', 3_000).value;
  if (body === undefined) return <Empty>{problem ?? 'Asking…'}</Empty>;
  const { alerts, history, rules } = body;
  return (
    <>
      <Panel title="Now" class="flush">
        <AlertList alerts={alerts} empty="No alert: nothing needs to be done." />
      </Panel>
      <Panel title="Resolved" note="newest first" class="flush">
        <AlertList alerts={history.slice(0, HISTORY_MAX)} empty="None yet." />
      </Panel>
      <Panel title="Rules" class="flush">
        <Rules rules={rules} />
      </Panel>
    </>
  );
}

function AlertList({
  alerts,
  empty,
}: {
  readonly alerts: readonly Alert[];
  readonly empty: string;
}) {
  if (alerts.length === 0) return <Empty>{empty}</Empty>;
  return (
    <ul class="alerts">
      {alerts.map((alert) => (
        <AlertItem key={`${alert.name} ${alert.since}`} alert={alert} />
      ))}
    </ul>
  );
}

function Rules({ rules }: { readonly rules: readonly AlertRule[] }) {
  return (
    <Scroller label="Rules">
      <table class="stacked">
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">What it looks for</th>
            <th scope="col">Severity</th>
            <th scope="col" class="number">
              Threshold
            </th>
            <th scope="col" class="number">
              For
            </th>
          </tr>
        </thead>
        <tbody>
          {rules.map(({ rule, severity, threshold, unit, forSeconds, enabled, description }) => (
            <tr key={rule}>
              <th scope="row">
                <code>{rule}</code>
              </th>
              <td class="sentence">{description}</td>
              <td>{enabled ? severity : 'off'}</td>
              <td class="number" data-label="Threshold">
                {threshold === null ? UNKNOWN : `${count(threshold)} ${unit}`}
              </td>
              <td class="number" data-label="For">
                {forSeconds === 0 ? 'at once' : duration(forSeconds * 1_000)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
