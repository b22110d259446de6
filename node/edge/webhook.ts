import type { Post } from '../alerts/webhook.ts';

const TIMEOUT_MS = 10_000;

/** Posts JSON to a web server, which has to answer with success in time. The URL is in no error: it may hold a secret. */
export function webhookAt(url: string): Post {
  return async (body) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: Error) => {
      const { cause, message } = error;
      throw new Error(cause instanceof Error ? cause.message : message);
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`it answered ${response.status}`);
  };
}
