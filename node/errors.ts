/** Why a node cannot start, or go on. The sentence is for the person at the terminal. */
export type NodeErrorCode =
  | 'CONFIG_INVALID'
  | 'PORT_TAKEN'
  | 'DIRECTORY_IN_USE'
  | 'WRONG_CLUSTER'
  | 'WRONG_SECRET'
  | 'NAME_TAKEN'
  | 'TOO_MANY_NODES'
  | 'NODE_REMOVED'
  | 'BEGINS_ANEW'
  | 'STATE_DAMAGED'
  | 'OTHER_ENGINE'
  | 'FORMAT_TOO_NEW';

export class NodeError extends Error {
  override readonly name = 'NodeError';
  readonly code: NodeErrorCode;

  constructor(code: NodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
