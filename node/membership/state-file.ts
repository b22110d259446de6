import { crc32c } from '../../lsm/hash/crc32c.ts';
import { type Vfs, writeFileAtomically } from '../../lsm/vfs/vfs.ts';
import type { Events } from '../env.ts';
import { NodeError } from '../errors.ts';

/**
 * A few bytes that a node must never forget: the CRC32C of the rest, a format byte, the rest. Kept twice,
 * each replaced as a whole, so that one damaged copy is no loss.
 */
const FORMAT = 1;
const FORMAT_AT = 4;
const HEADER_BYTES = 5;

export async function writeStateFile(
  vfs: Vfs,
  directory: string,
  name: string,
  content: Uint8Array,
): Promise<void> {
  const bytes = new Uint8Array(HEADER_BYTES + content.length);
  bytes[FORMAT_AT] = FORMAT;
  bytes.set(content, HEADER_BYTES);
  new DataView(bytes.buffer).setUint32(0, crc32c(bytes, FORMAT_AT), true);
  await writeFileAtomically(vfs, directory, name, bytes);
  await writeFileAtomically(vfs, directory, `${name}.copy`, bytes);
}

/** It is no harm if it is there again after a crash. */
export async function removeStateFile(vfs: Vfs, directory: string, name: string): Promise<void> {
  for (const path of [`${directory}/${name}`, `${directory}/${name}.copy`]) {
    if (await vfs.exists(path)) await vfs.remove(path);
  }
  await vfs.syncDirectory(directory);
}

/** The content of the first copy that is whole; `undefined` if there is none at all. */
export async function readStateFile(
  vfs: Vfs,
  directory: string,
  name: string,
): Promise<Uint8Array | undefined> {
  let found = false;
  for (const copy of [name, `${name}.copy`]) {
    const path = `${directory}/${copy}`;
    if (!(await vfs.exists(path))) continue;
    found = true;
    const content = open(await vfs.readFile(path), path);
    if (content !== undefined) return content;
  }
  if (!found) return undefined;
  throw new NodeError(
    'STATE_DAMAGED',
    `both copies of ${directory}/${name} are damaged: what the node must not forget is lost. Move the directory away and start with an empty one to join as a new node.`,
  );
}

/** As `readStateFile`, for what others know, too: damage is said, and the file counts as missing. */
export async function readDispensable(
  vfs: Vfs,
  directory: string,
  name: string,
  { events, loss }: { readonly events: Events; readonly loss: string },
): Promise<Uint8Array | undefined> {
  try {
    return await readStateFile(vfs, directory, name);
  } catch (error) {
    if (!(error instanceof NodeError) || error.code !== 'STATE_DAMAGED') throw error;
    const message = `both copies of ${directory}/${name} are damaged: ${loss}`;
    events.emit({ level: 'error', name: 'state-damaged', message });
    return undefined;
  }
}

function open(bytes: Uint8Array, path: string): Uint8Array | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== crc32c(bytes, FORMAT_AT)) return undefined;
  if (bytes[FORMAT_AT] !== FORMAT) {
    throw new NodeError(
      'FORMAT_TOO_NEW',
      `${path} was written by a newer version of DSS than this one.`,
    );
  }
  return bytes.slice(HEADER_BYTES);
}
