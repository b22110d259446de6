import 'uplot/dist/uPlot.min.css';
import { effect, type ReadonlySignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import { nowMs } from '../api/cluster.ts';
import { type Points, withGaps } from '../model/points.ts';
import { drawnTheme } from './theme.tsx';

export interface PlotProps {
  readonly points: Points;
  readonly revision: ReadonlySignal<number>;
  readonly colour: string;
  readonly rangeMs: number;
  readonly label: string;
  /** The time of the point under the pointer, and undefined when it leaves. */
  readonly onPoint: (atMs: number | undefined) => void;
}

const HEIGHT = 150;
/** With fewer each value is a dot, too. */
const DOTS_MAX = 80;

/** A line up to now. All plots of the page share the pointer. */
export function Plot(props: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const { points, revision, colour, rangeMs } = props;
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const width = (): number => Math.max(120, element.clientWidth);
    const size = { width: width(), height: HEIGHT };
    const onPoint = (atMs: number | undefined): void => latest.current.onPoint(atMs);
    const chart = new UPlot(optionsOf({ element, colour, size, onPoint }), [[], []], element);
    const resized = new ResizeObserver(() => chart.setSize({ width: width(), height: HEIGHT }));
    resized.observe(element);
    const stop = effect(() => {
      void revision.value;
      const now = nowMs.value / 1_000;
      const drawn = withGaps(points);
      const times = drawn.timesMs.map((ms) => ms / 1_000);
      chart.batch(() => {
        chart.setData([times, [...drawn.numbers]], false);
        chart.setScale('x', {
          min: now - rangeMs / 1_000,
          max: Math.max(now, times.at(-1) ?? 0),
        });
      });
    });
    return () => {
      stop();
      resized.disconnect();
      chart.destroy();
    };
  }, [points, revision, colour, rangeMs, drawnTheme.value]);
  return <div class="plot" ref={box} role="img" aria-label={props.label} />;
}

interface LookOptions {
  readonly element: HTMLElement;
  readonly colour: string;
  readonly size: { readonly width: number; readonly height: number };
  readonly onPoint: PlotProps['onPoint'];
}

function optionsOf({ element, colour, size, onPoint }: LookOptions): UPlot.Options {
  const style = getComputedStyle(element);
  const resolved = (name: string): string => resolve(element, name);
  const stroke = resolved(colour);
  const font = `11px ${style.fontFamily}`;
  const axis: UPlot.Axis = {
    font,
    stroke: resolved('var(--ink-3)'),
    grid: { stroke: resolved('var(--line)'), width: 1 },
    ticks: { show: false },
  };
  return {
    ...size,
    pxAlign: 1,
    legend: { show: false },
    cursor: { sync: { key: 'charts' }, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: true }, y: { range: yRange } },
    axes: [
      { ...axis, size: 26, space: 80, values: timeLabels },
      { ...axis, size: 46, space: 24 },
    ],
    series: [
      {},
      {
        stroke,
        width: 1.5,
        fill: `color-mix(in srgb, ${stroke} 9%, transparent)`,
        points: {
          show: (chart) => (chart.data[0]?.length ?? 0) <= DOTS_MAX,
          size: 4,
          fill: stroke,
        },
      },
    ],
    hooks: { setCursor: [(chart) => onPoint(pointed(chart))] },
  };
}

function pointed({ cursor, data }: UPlot): number | undefined {
  const seconds = cursor.idx == null ? undefined : data[0][cursor.idx];
  return seconds === undefined ? undefined : Math.round(seconds * 1_000);
}

/** Room above and below; a line that stands still is in the middle. */
function yRange(_: UPlot, low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const room = high === low ? Math.max(1, Math.abs(high) * 0.05) : (high - low) * 0.12;
  return [low - room, high + room];
}

const SECONDS_OF_DAY = 86_400;

/** As few characters as tell the times apart. */
function timeLabels(_: UPlot, splits: number[]): string[] {
  const step = (splits[1] ?? 0) - (splits[0] ?? 0);
  return splits.map((seconds) => {
    const at = new Date(seconds * 1_000);
    const two = (value: number): string => String(value).padStart(2, '0');
    if (step >= SECONDS_OF_DAY) return `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
    return step < 60 ? `${time}:${two(at.getSeconds())}` : time;
  });
}

/** What a colour with custom properties is here and now. */
function resolve(element: HTMLElement, colour: string): string {
  const probe = document.createElement('span');
  probe.style.color = colour;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
