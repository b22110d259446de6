import { nowMs, status } from '../api/cluster.ts';
import { usePolled } from '../api/polled.ts';
import type { Refusal } from '../model/documents.ts';
import { clock, timeOf, UNKNOWN } from '../model/format.ts';
import { Empty, Panel, Scroller } from '../parts/panel.tsx';

/** What this node refused lately, and why. */
export function RefusedPage() {
  const { body, problem } = usePolled<{ refusals: readonly Refusal[] }>('v1/refusals', 3_000).value;
  const refusals = body?.refusals ?? [];
  const name = status.value?.node.name ?? 'this node';
  const codes = [...new Set(refusals.map(({ code }) => code))];
  return (
    <Panel title={`Refused at ${name}`} note="the last hundred, newest first" class="flush">
      {refusals.length === 0 ? (
        <Empty>{problem ?? (body === undefined ? 'Asking…' : 'Nothing was refused.')}</Empty>
      ) : (
        <>
          <ul class="tallies">
            {codes.map((code) => (
              <li key={code}>
                <strong>{refusals.filter((refusal) => refusal.code === code).length}</strong>{' '}
                <code>{code}</code>
              </li>
            ))}
          </ul>
          <Scroller label="Refusals">
            <table class="stacked">
              <thead>
                <tr>
                  <th scope="col">Time</th>
                  <th scope="col">Code</th>
                  <th scope="col">Why</th>
                  <th scope="col">Topic</th>
                  <th scope="col">Client</th>
                </tr>
              </thead>
              <tbody>
                {refusals.map((refusal, at) => (
                  <RefusalLine key={`${refusal.time} ${at}`} refusal={refusal} />
                ))}
              </tbody>
            </table>
          </Scroller>
        </>
      )}
    </Panel>
  );
}

function RefusalLine({ refusal }: { readonly refusal: Refusal }) {
  const { time, code, message, topic, client, user } = refusal;
  return (
    <tr>
      <td class="figure">{clock(timeOf(time), nowMs.value)}</td>
      <td>
        <code>{code}</code>
      </td>
      <td class="sentence">{message}</td>
      <td>
        <code class="topic">{topic || UNKNOWN}</code>
      </td>
      <td data-label="Client">
        {client || UNKNOWN}
        {user && <span class="quiet"> as {user}</span>}
      </td>
    </tr>
  );
}
