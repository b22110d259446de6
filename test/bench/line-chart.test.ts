import { describe, expect, it } from 'vitest';
import { lineChart } from '../../bench/line-chart.ts';

describe('a line chart', () => {
  const line = (name: string, values: readonly number[]) => ({
    name,
    points: values.map((value, index) => [index, value] as const),
  });

  it('draws every line within its panel, and axes up to a round number above', () => {
    const svg = lineChart({
      title: 'Rates & memory',
      panels: [{ title: 'a < b', lines: [line('n1', [0, 870]), line('n2', [870, 435])] }],
    });
    const paths = [...svg.matchAll(/<path d="([^"]+)"/g)].map(([, d]) => d);
    // The panel is 200 high from 72 on, and its axis ends at 1,000.
    expect(paths).toEqual(['M72 272L936 98', 'M72 98L936 185']);
    expect(svg).toContain('>1,000</text>');
    expect(svg).toContain('Rates &amp; memory');
    expect(svg).toContain('a &lt; b');
    expect(svg).toContain('>n2</text>');
  });

  it('leaves a gap where there is no value', () => {
    const svg = lineChart({
      title: '',
      panels: [{ title: '', lines: [line('', [1, Number.NaN, 1])] }],
    });
    expect(svg).toMatch(/<path d="M[\d.]+ [\d.]+M[\d.]+ [\d.]+"/);
  });

  it('shows a limit above all values', () => {
    const limit = { name: 'budget', value: 256 };
    const svg = lineChart({
      title: '',
      panels: [{ title: '', lines: [line('', [10, 20])], limit }],
    });
    expect(svg).toContain('stroke-dasharray');
    expect(svg).toContain('>budget</text>');
    expect(svg).not.toContain('NaN');
  });

  it('draws nothing where there is nothing', () => {
    const svg = lineChart({ title: '', panels: [{ title: '', lines: [line('', [])] }] });
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
});
