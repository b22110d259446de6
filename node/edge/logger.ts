import { destination, type Level, pino } from 'pino';
import type { Events } from '../env.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What happens in a node, as JSON lines on standard error. */
export function createLogger(level: LogLevel, node: string): Events {
  const logger = pino({ level, base: { node } }, destination({ dest: 2, sync: true }));
  return {
    emit: (event) => {
      logger[event.level as Level]({ event: event.name, ...event.data }, event.message);
    },
  };
}
