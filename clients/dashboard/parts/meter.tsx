interface MeterProps {
  readonly label: string;
  /** What stands beside it, and is read out. */
  readonly text: string;
  readonly value: number | null | undefined;
  /** Unknown or 0: there is no limit, so there is no bar. */
  readonly max: number | null | undefined;
}

/** How much of a budget is used. */
export function Meter({ label, text, value, max }: MeterProps) {
  if (typeof value !== 'number' || !max) return <span class="figure">{text}</span>;
  const share = Math.min(1, value / max);
  const level = share > 0.95 ? 'critical' : share > 0.8 ? 'warning' : '';
  return (
    <span class="meter">
      <span class="figure">{text}</span>
      {/* biome-ignore lint/a11y/useSemanticElements: a meter element cannot be drawn like this. */}
      <span
        class={`bar ${level}`}
        role="meter"
        aria-label={label}
        aria-valuenow={Math.round(share * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={text}
      >
        <span style={{ width: `${share * 100}%` }} />
      </span>
    </span>
  );
}
