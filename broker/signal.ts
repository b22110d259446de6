/** Something that several wait for, and that happens once. */
export class Signal {
  readonly happened: Promise<void>;
  #resolve: () => void = () => {};

  constructor() {
    this.happened = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  give(): void {
    this.#resolve();
  }
}
