import { type CannonMessage, type CannonOptions, runCannon } from './cannon.ts';

/** The main program of the load's process; see `forkCannon`. */
process.once('message', async (options: CannonOptions) => {
  let last: CannonMessage;
  try {
    const result = await runCannon(options, () => process.send?.({ kind: 'measuring' }));
    last = { kind: 'result', result };
  } catch (error) {
    last = { kind: 'failed', message: (error as Error).message };
  }
  process.send?.(last, () => process.disconnect());
});
