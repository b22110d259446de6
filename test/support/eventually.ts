const POLL_MS = 20;

/** Ends a test that hangs, and measures nothing: a machine may be as busy as it likes. */
export const HANGS_MS = 120_000;

/** For other processes, which give no signal: asks again until `probe` gives something and throws no more. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  timeoutMs = HANGS_MS,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  let problem: unknown = 'not yet';
  for (;;) {
    try {
      const result = await probe();
      if (result !== undefined) return result;
    } catch (error) {
      problem = error;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`${what}: not within ${timeoutMs} ms (${String(problem)})`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
