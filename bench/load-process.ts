import { type LoadMessage, type LoadOptions, runLoad } from './load-generator.ts';

/** The main program of the load generator's process; see `forkLoad`. */
process.once('message', async (options: LoadOptions) => {
  let last: LoadMessage;
  try {
    const result = await runLoad(options, () => process.send?.({ kind: 'measuring' }));
    last = { kind: 'result', result };
  } catch (error) {
    last = { kind: 'failed', message: (error as Error).message };
  }
  process.send?.(last, () => process.disconnect());
});
