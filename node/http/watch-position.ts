import { createHash } from 'node:crypto';
import type { WatchPosition } from '../../broker/data-plane.ts';

/**
 * A position of a watch as the id of an event, which a client sends back when it comes again:
 *
 *     <what is watched>-<when, milliseconds since 1970, base 36>-<shards, base64url>
 *     shard   := number uint16 · version uint56, both big-endian
 *
 * What is watched is a digest of cluster, user and filter: an id of something else says nothing.
 */
export interface Watched {
  readonly cluster: string;
  readonly user: string;
  readonly filter: string;
}

/** Half of how long deletes are told to who was away (node/retention): clocks of nodes differ. */
const AGE_MS_MAX = 30 * 60_000;
const SHARD_BYTES = 9;
const HIGH = 2 ** 32;

export function encodePosition(watched: Watched, position: WatchPosition, nowMs: number): string {
  const bytes = Buffer.alloc(position.size * SHARD_BYTES);
  let at = 0;
  for (const [group, version] of position) {
    bytes.writeUInt16BE(group, at);
    bytes.writeUIntBE(Math.floor(version / HIGH), at + 2, 3);
    bytes.writeUInt32BE(version % HIGH, at + 5);
    at += SHARD_BYTES;
  }
  return `${digestOf(watched)}-${nowMs.toString(36)}-${bytes.toString('base64url')}`;
}

/** Undefined: nobody can tell what has changed since. */
export function decodePosition(
  watched: Watched,
  id: string | undefined,
  nowMs: number,
): WatchPosition | undefined {
  const [, digest, atMs = '', shards = ''] =
    /^([\w-]{12})-([\da-z]+)-([\w-]+)$/.exec(id ?? '') ?? [];
  const ageMs = nowMs - Number.parseInt(atMs, 36);
  if (digest !== digestOf(watched) || !(Math.abs(ageMs) <= AGE_MS_MAX)) return undefined;
  const bytes = Buffer.from(shards, 'base64url');
  if (bytes.length % SHARD_BYTES !== 0) return undefined;
  const position = new Map<number, number>();
  for (let at = 0; at < bytes.length; at += SHARD_BYTES) {
    const version = bytes.readUIntBE(at + 2, 3) * HIGH + bytes.readUInt32BE(at + 5);
    if (!Number.isSafeInteger(version)) return undefined;
    position.set(bytes.readUInt16BE(at), version);
  }
  return position;
}

function digestOf({ cluster, user, filter }: Watched): string {
  const text = JSON.stringify([cluster, user, filter]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 12);
}
