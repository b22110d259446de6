import { describe, expect, it } from 'vitest';
import { shownConfig } from '../../../node/config/shown.ts';
import { complaint, fileWith, load } from './load.ts';

describe('alerts in a configuration file', () => {
  it('are the rules as they are in the table, and nobody is told', () => {
    expect(load({})).toMatchObject({ alertRules: {}, alertsWebhook: '' });
  });

  it('may be changed rule by rule', () => {
    const file = fileWith(
      'alerts:\n  webhook: https://alerts.example/dss?key=1\n  rules:\n    loop-delay: {threshold: 100, forSeconds: 0}\n    under-replicated: {enabled: false}\n',
    );
    expect(load({ file })).toMatchObject({
      alertsWebhook: 'https://alerts.example/dss?key=1',
      alertRules: {
        'loop-delay': { threshold: 100, forSeconds: 0 },
        'under-replicated': { enabled: false },
      },
    });
    const environment = { DSS_ALERTS_WEBHOOK: 'http://127.0.0.1:9' };
    expect(load({ environment }).alertsWebhook).toBe('http://127.0.0.1:9');
  });

  it.each([
    ['rules: [1]', /must hold rules by their names/],
    ['rules: {loop: {}}', /unknown rule loop; known are node-failed/],
    ['rules: {loop-delay: 5}', /must have settings of its own: enabled, threshold, forSeconds/],
    ['rules: {loop-delay: {limit: 5}}', /unknown setting limit/],
    ['rules: {loop-delay: {enabled: 1}}', /true or false/],
    ['rules: {loop-delay: {threshold: 0}}', /a number above 0/],
    ['rules: {node-failed: {threshold: 5}}', /does or does not hold/],
    ['rules: {node-failed: {forSeconds: -1}}', /a number of seconds up to 86400/],
    ['hook: x', /unknown setting alerts\.hook/],
  ])('are refused: %s', (text, sentence) => {
    expect(complaint({ file: fileWith(`alerts: {${text}}`) })).toMatch(sentence);
  });

  it('are refused where the webhook is no address, which is not repeated', () => {
    const sentence = complaint({ file: fileWith('alerts: {webhook: "alerts.example/sesame"}') });
    expect(sentence).toMatch(/alerts\.webhook in .* an address such as https:/);
    expect(sentence).not.toContain('sesame');
  });
});

describe('what is shown of a configuration', () => {
  it('is what differs from the default, without anything secret', () => {
    const hash = `scrypt:16384:8:5:${'A'.repeat(22)}:${'B'.repeat(43)}`;
    const file = fileWith(
      [
        'secret: open-sesame-0123456',
        'zone: hall-1',
        'storage: {maxBytes: 10MiB}',
        `users: [{name: admin, password: "${hash}", read: ["#"], write: ["#"]}]`,
        'alerts: {webhook: "https://alerts.example/open-sesame"}',
        'sinks:\n  - {name: office, url: "mqtt://office:1883", filter: "a/#", user: me, password: open-sesame}',
      ].join('\n'),
    );
    const shown = shownConfig(load({ file }));
    expect(shown).toMatchObject({
      ...{ secret: '(hidden)', 'alerts.webhook': '(hidden)', zone: 'hall-1', tls: false },
      ...{
        'storage.maxBytes': 10 * 1024 * 1024,
        users: [{ name: 'admin', read: ['#'], write: ['#'] }],
      },
      links: [{ kind: 'sink', name: 'office', url: 'mqtt://office:1883' }],
    });
    expect(shown).not.toHaveProperty('shards');
    expect(JSON.stringify(shown)).not.toContain('sesame');
    expect(JSON.stringify(shown)).not.toContain(hash);
  });
});
