/** Why nothing is read from the socket at the moment; several reasons may hold at once. */
export const Hold = {
  /** The CONNECT is not answered yet; clients may send the next packet right behind it. */
  connecting: 1,
  /** This turn's read budget is used up. */
  turn: 2,
  /** Too many puts and requests have no outcome. */
  window: 4,
  /** The data plane's queue is full. */
  queue: 8,
  /** The session does not read. */
  session: 16,
  /** The client does not read what we write. */
  output: 32,
  /** The connection is about to be closed. */
  closing: 64,
  /** It is not known yet whether a message is to be stored. */
  rules: 128,
  /** The client publishes faster than it may. */
  rate: 256,
} as const;
