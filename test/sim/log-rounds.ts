import { headerBytes, headerField, roundMagic } from '../../lsm/log/format.ts';
import type { Vfs } from '../../lsm/vfs/vfs.ts';

/** A round of a log, as a disk has it: nothing says that it is whole, or that it counts. */
export interface FoundRound {
  readonly path: string;
  readonly offset: number;
  readonly recordsOffset: number;
  readonly number: number;
  readonly groups: number;
}

/** What looks like a round in the log in `folder`, file by file. */
export async function roundsIn(vfs: Vfs, folder: string): Promise<FoundRound[]> {
  const rounds: FoundRound[] = [];
  for (const name of await vfs.list(folder)) {
    const path = `${folder}/${name}`;
    const bytes = await vfs.readFile(path);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let offset = 0; offset + headerBytes <= bytes.length; offset += 4096) {
      if (!roundMagic.every((byte, i) => bytes[offset + i] === byte)) continue;
      const directoryLength = view.getUint32(offset + headerField.directoryLength, true);
      rounds.push({
        path,
        offset,
        recordsOffset: offset + headerBytes + directoryLength,
        number: Number(view.getBigUint64(offset + headerField.number, true)),
        groups: view.getUint32(offset + headerField.directoryCount, true),
      });
    }
  }
  return rounds;
}
