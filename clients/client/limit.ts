/** What `setTimeout` takes. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** Calls `over` once, when time is up or the signal says so. Returns what keeps it from that. */
export function limit(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  over: (aborted: boolean) => void,
): () => void {
  const abort = () => {
    stop();
    over(true);
  };
  const expire = () => {
    stop();
    over(false);
  };
  const timer = Number.isFinite(timeoutMs)
    ? setTimeout(expire, Math.min(timeoutMs, TIMER_MAX_MS))
    : undefined;
  const stop = () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  };
  signal?.addEventListener('abort', abort, { once: true });
  return stop;
}
