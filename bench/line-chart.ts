/** A picture of figures over time: panels with one axis of time in common. */
export interface LineChart {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  /** With its unit. */
  readonly title: string;
  readonly lines: readonly Line[];
  /** A value that is not to be passed. */
  readonly limit?: { readonly name: string; readonly value: number };
}

interface Line {
  readonly name: string;
  /** Seconds since the beginning, and the value then; a value that is no number leaves a gap. */
  readonly points: readonly (readonly [number, number])[];
}

const WIDTH = 960;
const PANEL_HEIGHT = 200;
const MARGIN = { left: 72, right: 24, top: 48, bottom: 36, between: 48 };
const COLOURS = ['#1f6feb', '#d1495b', '#2a9d5c', '#8a5cd6', '#b7791f'];
const TICKS_WANTED = 4;

export function lineChart({ title, panels }: LineChart): string {
  const height = MARGIN.top + panels.length * (PANEL_HEIGHT + MARGIN.between) + MARGIN.bottom;
  const times = panels.flatMap(({ lines }) =>
    lines.flatMap(({ points }) => points.map(([x]) => x)),
  );
  const endSeconds = Math.max(1, ...times);
  const drawn = panels.map((panel, index) => {
    const top = MARGIN.top + MARGIN.between / 2 + index * (PANEL_HEIGHT + MARGIN.between);
    return panelSvg(panel, top, endSeconds);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text({ x: MARGIN.left, y: 24, size: 16 }, title),
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

function panelSvg({ title, lines, limit }: Panel, top: number, endSeconds: number): string {
  const values = lines.flatMap(({ points }) => points.map(([, y]) => y)).filter(Number.isFinite);
  const step = niceStep(Math.max(limit?.value ?? 0, ...values, 1e-9) / TICKS_WANTED);
  const highest = step * Math.ceil(Math.max(limit?.value ?? 0, ...values, step) / step);
  const width = WIDTH - MARGIN.left - MARGIN.right;
  const at = {
    x: (seconds: number) => MARGIN.left + (seconds / endSeconds) * width,
    y: (value: number) => top + PANEL_HEIGHT * (1 - value / highest),
  };
  return [
    text({ x: MARGIN.left, y: top - 8 }, title),
    ...gridSvg(at, { step, highest, endSeconds, top }),
    ...(limit === undefined ? [] : limitSvg(at, limit)),
    ...lines.map(({ points }, index) => pathSvg(points, at, COLOURS[index % COLOURS.length] ?? '')),
    ...legendSvg(lines, top),
  ].join('\n');
}

interface Scale {
  readonly x: (seconds: number) => number;
  readonly y: (value: number) => number;
}

function gridSvg(
  at: Scale,
  area: {
    readonly step: number;
    readonly highest: number;
    readonly endSeconds: number;
    readonly top: number;
  },
): string[] {
  const { step, highest, endSeconds, top } = area;
  const drawn: string[] = [];
  for (let index = 0; index * step <= highest * 1.0001; index += 1) {
    const y = at.y(index * step);
    drawn.push(lineSvg(MARGIN.left, y, WIDTH - MARGIN.right, y, 'stroke="#dddddd"'));
    drawn.push(text({ x: MARGIN.left - 8, y: y + 4, anchor: 'end' }, label(index * step, step)));
  }
  const secondsStep = niceStep(endSeconds / 10);
  for (let seconds = 0; seconds <= endSeconds; seconds += secondsStep) {
    const below = top + PANEL_HEIGHT + 16;
    drawn.push(text({ x: at.x(seconds), y: below, anchor: 'middle' }, `${label(seconds, 1)} s`));
  }
  return drawn;
}

function limitSvg(at: Scale, { name, value }: { name: string; value: number }): string[] {
  const y = at.y(value);
  return [
    lineSvg(MARGIN.left, y, WIDTH - MARGIN.right, y, 'stroke="#555555" stroke-dasharray="6 4"'),
    text({ x: WIDTH - MARGIN.right - 4, y: y - 4, anchor: 'end' }, name),
  ];
}

function pathSvg(points: Line['points'], at: Scale, colour: string): string {
  let isDrawing = false;
  const steps = points.map(([seconds, value]) => {
    if (!Number.isFinite(value)) {
      isDrawing = false;
      return '';
    }
    const step = `${isDrawing ? 'L' : 'M'}${round(at.x(seconds))} ${round(at.y(value))}`;
    isDrawing = true;
    return step;
  });
  return `<path d="${steps.join('')}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
}

function legendSvg(lines: readonly Line[], top: number): string[] {
  if (lines.length < 2) return [];
  return lines.flatMap(({ name }, index) => {
    const x = WIDTH - MARGIN.right - 90 * (lines.length - index);
    const colour = COLOURS[index % COLOURS.length];
    return [
      lineSvg(x, top - 12, x + 18, top - 12, `stroke="${colour}" stroke-width="2"`),
      text({ x: x + 24, y: top - 8 }, name),
    ];
  });
}

function lineSvg(x1: number, y1: number, x2: number, y2: number, style: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" ${style}/>`;
}

function text(
  place: {
    readonly x: number;
    readonly y: number;
    readonly anchor?: 'start' | 'middle' | 'end';
    readonly size?: number;
  },
  content: string,
): string {
  const { x, y, anchor = 'start', size } = place;
  const sized = size === undefined ? '' : ` font-size="${size}"`;
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${sized} fill="#222222">${escaped(content)}</text>`;
}

const escaped = (content: string) => content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** The next of 1, 2 and 5 times a power of ten. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((each) => each * power >= least * 0.9999) ?? 10;
  return factor * power;
}

function label(value: number, step: number): string {
  if (step >= 1) return Math.round(value).toLocaleString('en');
  return value.toFixed(Math.ceil(-Math.log10(step)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
