import type { Writer } from 'protobufjs';

/** Bytes from elsewhere that are not the message they should be. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code = 'MALFORMED_MESSAGE';
}

/** What a generated message class offers, as far as we use it. */
interface MessageType<Properties, Message> {
  encode(message: Properties): Writer;
  decode(bytes: Uint8Array): Message;
}

/** The message as bytes that are its caller's own. A 64-bit field must be an unsigned safe integer. */
export function encode<Properties, Message>(
  type: MessageType<Properties, Message>,
  message: Properties,
): Uint8Array {
  return type.encode(message).finish();
}

/**
 * Reads the whole of `bytes` as one message. Fields of type `bytes` are views into `bytes`: copy what is
 * to outlive it. Absent fields have their default by way of the prototype, and fields and enum values
 * that this version does not know are skipped and passed on.
 *
 * @throws {ProtocolError} when the bytes are cut short or are no such message, when messages are nested
 * too deeply, or when a 64-bit field is above `Number.MAX_SAFE_INTEGER`.
 */
export function decode<Properties, Message>(
  type: MessageType<Properties, Message>,
  bytes: Uint8Array,
): Message {
  try {
    return type.decode(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProtocolError(`malformed message: ${reason}`, { cause: error });
  }
}
