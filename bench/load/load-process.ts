import { type LoadMessage, type LoadOptions, runLoad } from './load-generator.ts';

/** The main program of the load generator's process; see `forkLoad`. */
process.once('message', async (options: LoadOptions) => {
  // A load that has failed may still have something to tell, when nobody listens any more.
  const send = (message: LoadMessage) => process.connected && process.send?.(message);
  let last: LoadMessage;
  try {
    const result = await runLoad(options, {
      onMeasuring: () => send({ kind: 'measuring' }),
      onProgress: (progress) => send({ kind: 'progress', progress }),
    });
    last = { kind: 'result', result };
  } catch (error) {
    last = { kind: 'failed', message: (error as Error).message };
  }
  process.send?.(last, () => process.disconnect());
});
