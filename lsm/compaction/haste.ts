/** Whether somebody waits for the compactions of an engine; the thread that runs them sees at once when that changes. */
export type Haste = SharedArrayBuffer;

export function newHaste(): Haste {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

export function setHaste(haste: Haste, isWaitedFor: boolean): void {
  Atomics.store(new Int32Array(haste), 0, isWaitedFor ? 1 : 0);
}

export function isHasty(haste: Haste): boolean {
  return Atomics.load(new Int32Array(haste), 0) !== 0;
}
