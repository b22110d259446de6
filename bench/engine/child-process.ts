import { ReadingSource } from './readings.ts';
import { measureRound } from './round.ts';
import { type ChildMessage, type ChildTask, SERIES_COUNT } from './rounds.ts';
import { loadEngine } from './stores/engines.ts';

/** The main program of the process that measures one engine once, or only says that it is there; see `runChild`. */
process.once('message', async (task: ChildTask) => {
  let last: ChildMessage;
  try {
    const engine = await loadEngine(task.engine, { cacheBytes: task.cacheBytes });
    const { version, settings } = engine;
    const figures = task.round
      ? await measureRound(engine, new ReadingSource(SERIES_COUNT), task.round)
      : {};
    last = { kind: 'measured', version, settings, figures };
  } catch (error) {
    // By its first line: a loader's goes on with the stack of requires.
    const [message = ''] = String(error instanceof Error ? error.message : error).split('\n');
    last = { kind: 'failed', message };
  }
  process.send?.(last);
});

// The parent has the figures, or is gone; whatever an engine left running ends too.
process.once('disconnect', () => process.exit());
