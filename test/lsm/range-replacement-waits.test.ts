import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '../../lsm/engine.ts';
import { settled } from '../support/settled.ts';
import { openSmall, put, utf8 } from './engine-support.ts';

describe('a replacement that waits for a compaction', () => {
  it('ends with what that fails of', async () => {
    let compact = () => {};
    const compacting = new Promise<void>((resolve) => {
      compact = resolve;
    });
    const onEvent = ({ kind }: EngineEvent) => {
      if (kind === 'compaction-begin') compact();
    };
    const { db, vfs } = await openSmall(undefined, { onEvent });
    let fail = (_error: Error) => {};
    const read = new Promise<void>((_resolve, reject) => {
      fail = reject;
    });
    vfs.onOperation = ({ kind }) => (kind === 'read' ? read : undefined);
    for (let i = 0; i < 2_000; i++) {
      put(db, utf8(`a-series-${i}-12345678`), utf8('v'.repeat(20)));
      if (i % 100 === 0) await db.flush();
    }
    await compacting;
    const replaced = db.replaceRange({ lower: utf8('x') }).commit(() => utf8('1'));
    const failed = expect(replaced).rejects.toMatchObject({
      ...{ code: 'ENGINE_FAILED', cause: { code: 'EIO' } },
    });
    await settled();
    fail(Object.assign(new Error('i/o error'), { code: 'EIO' }));
    await failed;
    await db.close();
  });
});

describe('writers while a range is being replaced', () => {
  it('go on when it is done', async () => {
    const { db } = await openSmall();
    for (let i = 0; i < 40; i++) put(db, utf8(`a-series-${i}-12345678`), utf8('v'.repeat(20)));
    const replacement = db.replaceRange({ lower: utf8('x'), upper: utf8('y') });
    const done = replacement.commit(() => utf8('1'));
    const writer = (async () => {
      for (let i = 0; i < 2000; i++) {
        const room = db.waitForRoom();
        if (room !== undefined) await room;
        put(db, utf8(`a-series-${i}-12345678`), utf8('v'.repeat(20)));
      }
    })();
    await done;
    await writer;
    expect(db.statistics().flushedBytes).toBeGreaterThan(0);
    await db.close();
  });
});
