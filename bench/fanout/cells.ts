/** How many publish to how many, and how. Everybody who subscribes gets everything. */
export interface Cell {
  readonly publishers: number;
  readonly subscribers: number;
  readonly qos: 0 | 1;
  /** Messages of all publishers together that not every subscriber has yet. */
  readonly inflight: number;
}

const SHAPES = [
  { publishers: 1, subscribers: 1, inflight: 960 },
  { publishers: 1, subscribers: 10, inflight: 960 },
  { publishers: 1, subscribers: 1_000, inflight: 20 },
  { publishers: 50, subscribers: 1, inflight: 960 },
  { publishers: 50, subscribers: 10, inflight: 960 },
];

export const CELLS: readonly Cell[] = SHAPES.flatMap((shape) => [
  { ...shape, qos: 0 as const },
  { ...shape, qos: 1 as const },
]);

/** `1x1000@0`: one publisher, a thousand subscribers, QoS 0. */
export function nameOf({ publishers, subscribers, qos }: Cell): string {
  return `${publishers}x${subscribers}@${qos}`;
}
