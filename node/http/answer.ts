import type { FastifyReply } from 'fastify';

/** A body of this size or less leaves in one string with its headers: copying it costs less than a second buffer. */
const JOINED_BYTES_MAX = 4 * 1024;

/**
 * Answers with exactly these headers, names and values in turn, and past what fastify would add, look up or wait for.
 * Most answers of a busy node are to a PUT or GET of one value, and are made here.
 */
export function answer(
  reply: FastifyReply,
  status: number,
  headers: readonly string[],
  body?: Uint8Array,
): FastifyReply {
  reply.hijack();
  const { raw } = reply;
  if (body === undefined) {
    raw.writeHead(status, headers as string[]).end();
    return reply;
  }
  raw.writeHead(status, [...headers, 'content-length', `${body.length}`]);
  if (body.length > JOINED_BYTES_MAX) raw.end(body);
  else raw.end(latin1(body), 'latin1');
  return reply;
}

/** One character for each byte, and back again where it is written. */
function latin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1');
}
