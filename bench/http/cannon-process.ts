import { type CannonMessage, type CannonOptions, runCannon } from './cannon.ts';

/** The main program of the load's process; see `Cannon`. */
process.on('message', async (options: CannonOptions) => {
  let answer: CannonMessage;
  try {
    answer = { kind: 'result', result: await runCannon(options) };
  } catch (error) {
    answer = { kind: 'failed', message: (error as Error).message };
  }
  process.send?.(answer);
});
