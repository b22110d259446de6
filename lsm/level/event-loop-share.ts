/**
 * What is in memory is answered at once, and a program that asks for one thing after the other would never come
 * to its timers and sockets, because promises that are resolved go before them. So now and then it is made to
 * wait for the event loop to go round.
 */
export class EventLoopShare {
  #turnBeganMs = performance.now();
  #asked = 0;

  /** A promise to wait for when it is time to give way. */
  giveWay(): Promise<void> | undefined {
    const nowMs = performance.now();
    if (nowMs - this.#turnBeganMs < TURN_MS_MAX) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#turnBeganMs = performance.now();
        resolve();
      });
    });
  }

  /** The same for what takes so little time that asking for the time would be felt. */
  giveWaySometimes(): Promise<void> | undefined {
    return ++this.#asked % ASKED_EACH === 0 ? this.giveWay() : undefined;
  }
}

const TURN_MS_MAX = 10;
const ASKED_EACH = 64;
