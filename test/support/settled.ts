/** Lets every promise that can be kept be kept: microtasks run dry before the next macrotask. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
