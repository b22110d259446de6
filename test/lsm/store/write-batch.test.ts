import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyOperations, type OperationTarget } from '../../../lsm/store/operations.ts';
import { WriteBatch } from '../../../lsm/store/write-batch.ts';
import { hex } from '../../support/text.ts';

type Operation = readonly [key: Uint8Array, value: Uint8Array | undefined];

const operations = fc.array(
  fc.tuple(
    fc.uint8Array({ maxLength: 300 }),
    fc.option(fc.uint8Array({ maxLength: 20_000 }), { nil: undefined }),
  ),
  { maxLength: 20 },
);

function batchOf(list: readonly Operation[]): WriteBatch {
  const batch = new WriteBatch(1);
  for (const [key, value] of list) {
    if (value === undefined) batch.delete(key);
    else batch.put(key, value);
  }
  return batch;
}

/** What it is told, as text. */
class Recorder implements OperationTarget {
  readonly told: string[] = [];

  put(
    ...[key, keyStart, keyEnd, value, valueStart, valueEnd]: Parameters<OperationTarget['put']>
  ): void {
    this.told.push(`${hex(key.slice(keyStart, keyEnd))}=${hex(value.slice(valueStart, valueEnd))}`);
  }

  delete(key: Uint8Array, keyStart: number, keyEnd: number): void {
    this.told.push(`${hex(key.slice(keyStart, keyEnd))} gone`);
  }
}

const toldOf = (list: readonly Operation[]) =>
  list.map(([key, value]) =>
    value === undefined ? `${hex(key)} gone` : `${hex(key)}=${hex(value)}`,
  );

describe('a batch of writes', () => {
  it('gives back what was added, in order', () => {
    fc.assert(
      fc.property(operations, operations, (first, second) => {
        const batch = batchOf(first);
        batch.append(batchOf(second));
        const recorder = new Recorder();
        applyOperations(batch.encoded, recorder);
        expect(recorder.told).toEqual(toldOf([...first, ...second]));
        expect(batch.operationCount).toBe(first.length + second.length);
        const lengths = [...first, ...second].map(([key]) => key.length);
        expect(batch.keyBytesMin).toBe(Math.min(...lengths));
      }),
      { numRuns: 50 },
    );
  });

  it('is empty again when it is cleared', () => {
    const batch = batchOf([[Uint8Array.of(1), Uint8Array.of(2)]]);
    batch.clear();
    expect(batch.operationCount).toBe(0);
    expect(batch.byteLength).toBe(0);
  });

  it('cut short anywhere or of other bytes gives whole operations or an error, and always ends', () => {
    const encoded = batchOf([
      [Uint8Array.of(1, 2, 3), new Uint8Array(200)],
      [Uint8Array.of(4), undefined],
    ]).encoded;
    for (let length = 0; length < encoded.length; length++) {
      expectSoundOrTyped(encoded.slice(0, length));
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), expectSoundOrTyped));
  });
});

function expectSoundOrTyped(bytes: Uint8Array): void {
  try {
    applyOperations(bytes, new Recorder());
  } catch (error) {
    expect(['CORRUPTION', 'FORMAT_TOO_NEW']).toContain((error as { code: string }).code);
  }
}
