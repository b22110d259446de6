/** What must never be false was false. Ends the run. */
export class Violation extends Error {
  /** The name of the promise, as in docs/SIMULATOR.md. */
  readonly property: Property;

  constructor(property: Property, message: string) {
    super(message);
    this.name = 'Violation';
    this.property = property;
  }
}

export type Property =
  | 'one leader per term'
  | 'log matching'
  | 'leader completeness'
  | 'commit by counting'
  | 'state machine safety'
  | 'durable before committed'
  | 'nothing acknowledged is lost'
  | 'linearizability'
  | 'one value per version'
  | 'watches go forward'
  | 'liveness'
  | 'no node fails by itself';
