import fc from 'fast-check';
import { describe, it } from 'vitest';
import { anyKey, seriesAndTime, tuning } from './arbitrary.ts';
import { commandsFor, expectNow } from './commands.ts';
import { Subject } from './subject.ts';

// An engine does what a sorted map does, whatever it is told to do and however it is tuned. DSS_PROOF_RUNS makes more
// of it; a failure prints seed and path for `fc.assert`.

const numRuns = Number(process.env.DSS_PROOF_RUNS ?? 25);

describe('an engine is a sorted map', () => {
  it.each([
    ['any keys', anyKey, 0],
    ['series and times', seriesAndTime, 8],
  ])('%s', { timeout: 30_000 + numRuns * 500 }, async (_, key, seriesSuffixBytes) => {
    const options = fc.record({
      tuning: tuning(key),
      knowsSeriesKeys: seriesSuffixBytes > 0 ? fc.boolean() : fc.constant(false),
      readsNow: fc.boolean(),
      slowness: fc.constantFrom(0, 0, 2, 5),
    });
    const commands = fc.commands(commandsFor(key, seriesSuffixBytes), {
      maxCommands: 40,
      size: 'max',
    });
    await fc.assert(
      fc.asyncProperty(options, commands, async ({ tuning, ...more }, toDo) => {
        const subject = await Subject.open({ ...tuning, ...more, seriesSuffixBytes });
        await fc.asyncModelRun(() => ({ model: {}, real: { subject } }), toDo);
        await expectNow(subject);
        await subject.close();
      }),
      { numRuns },
    );
  });
});
