import type { BrokerContext } from './context.ts';

/** A client does not take what it has subscribed to, and more would wait for it than there is room for. */
export function reportSlowSubscriber(
  { counters, env }: Pick<BrokerContext, 'counters' | 'env'>,
  { clientId, address }: { readonly clientId: string; readonly address: string },
): void {
  counters.slowSubscribers += 1;
  env.events.emit({
    level: 'warn',
    name: 'slow-subscriber',
    message: `${clientId} does not keep up with what it subscribed to; disconnecting it`,
    data: { client: clientId, address },
  });
}
