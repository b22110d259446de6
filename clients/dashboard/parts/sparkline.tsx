interface SparklineProps {
  readonly values: readonly (number | undefined)[];
  readonly width: number;
  readonly height: number;
  /** So many points fill the width; fewer stand at the right end. All of them, if it is not said. */
  readonly lengthMax?: number;
  /** Rates begin at zero; of a temperature one wants to see how it changes. */
  readonly isFromZero?: boolean;
}

/** A rate that stays as it is is not drawn at the edge. */
const HEADROOM = 1.25;

/** One that has just begun does not fill the width. */
const LENGTH_MIN = 30;

/** A small line; the number itself stands beside it. */
export function Sparkline(props: SparklineProps) {
  const {
    values,
    width,
    height,
    lengthMax = Math.max(LENGTH_MIN, values.length),
    isFromZero = true,
  } = props;
  const known = values.filter((value) => value !== undefined);
  const bottom = isFromZero ? 0 : Math.min(...known);
  const top = Math.max(...known) * (isFromZero ? HEADROOM : 1);
  // Numbers that are all the same have no height.
  const span = top - bottom || 1;
  const x = (at: number): number => width * ((at + lengthMax - values.length) / (lengthMax - 1));
  const y = (value: number): number => height - 2 - (height - 4) * ((value - bottom) / span);
  const runs: string[] = [];
  let run: string[] = [];
  for (const [at, value] of values.entries()) {
    if (value !== undefined) run.push(`${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
    if ((value === undefined || at === values.length - 1) && run.length > 0) {
      runs.push(`M${run.join('L')}`);
      run = [];
    }
  }
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="base" d={`M0 ${height - 0.5}H${width}`} />
      <path d={runs.join('')} />
    </svg>
  );
}
