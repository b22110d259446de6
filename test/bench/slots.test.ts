import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { measureSlots } from '../../bench/slots.ts';
import { NodeMemory } from '../../bench/verbs/node-memory.ts';
import type { StatusDocument } from '../../clients/cli/status-document.ts';

describe('slots', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'dss-slots-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('measures whole pages, says what was read for one, and leaves nothing behind', async () => {
    const lists = await measureSlots(directory, { keys: 300, slotCount: 8, seconds: 0.02 });
    expect(lists.map(({ slots, limit }) => [slots, limit])).toEqual([
      [8, 100],
      [8, 1_000],
    ]);
    for (const { pages, cpuMicrosPerPage, cpuMicrosPerKey, movesPerPage, limit } of lists) {
      expect(pages).toBeGreaterThan(0);
      expect(cpuMicrosPerPage).toBeGreaterThan(cpuMicrosPerKey);
      expect(movesPerPage).toBeGreaterThanOrEqual(Math.min(limit, 300));
    }
    expect(await readdir(directory)).toEqual([]);
  });
});

describe.runIf(process.platform === 'linux')('memory of a node', () => {
  it('tells what is resident from the most that was', async () => {
    const self = { node: { name: 'n1' }, process: { processId: process.pid } } as StatusDocument;
    const memory = new NodeMemory([self]);
    await memory.during('before', async () => {});
    const bytes = 64 * 1024 * 1024;
    await memory.during('grown', async () => void Buffer.alloc(bytes, 1));
    const [before, grown] = memory.parts.map(({ nodes }) => nodes[0]);
    expect(memory.parts.map(({ part }) => part)).toEqual(['before', 'grown']);
    expect(grown?.peakBytes).toBeGreaterThanOrEqual((before?.residentBytes ?? 0) + bytes / 2);
    expect(grown?.peakBytes).toBeGreaterThanOrEqual(grown?.residentBytes ?? 0);
  });
});
