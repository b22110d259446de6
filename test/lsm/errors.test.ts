import { expect, it } from 'vitest';
import { LsmError, openError } from '../../lsm/errors.ts';
import { decodeFooter, encodeFooter } from '../../lsm/sstable/footer.ts';
import { openSealed, sealBlock } from '../../lsm/sstable/sealed-block.ts';

const systemError = (code: string, message: string) => Object.assign(new Error(message), { code });

it('what cannot be opened is told with the reason', () => {
  const reasons = [
    [
      systemError('ENOTDIR', "ENOTDIR: not a directory, scandir '/x'"),
      'it is not a directory (ENOTDIR)',
    ],
    [systemError('EIO', "EIO: i/o error, scandir '/x'"), "i/o error, scandir '/x' (EIO)"],
    [systemError('EIO', 'broken'), 'broken (EIO)'],
    [new Error('something else'), 'something else'],
    ['thrown', 'thrown'],
  ] as const;
  for (const [error, reason] of reasons) {
    expect(openError('/x', error)).toMatchObject({
      code: 'ENGINE_FAILED',
      message: `cannot open /x: ${reason}`,
      cause: error,
    });
  }
  const typed = new LsmError('STORE_EXISTS', 'exists');
  expect(openError('/x', typed)).toBe(typed);
});

it('of two checksums it is said that they are some', () => {
  const sealed = sealBlock(new Uint8Array(100), 'none');
  sealed[50] = 1;
  const reason = /^f is damaged at 7: expected checksum \d+, got \d+$/;
  expect(() => openSealed(sealed, 'f', 7)).toThrow(reason);
  const footer = encodeFooter({
    filter: handle,
    keyFilter: handle,
    topIndex: handle,
    properties: handle,
  });
  footer[3] = 9;
  expect(() => decodeFooter(footer, 'f', 7)).toThrow(reason);
});

const handle = { offset: 1, length: 2 };
