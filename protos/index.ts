import './runtime.ts';

export { decode, encode, ProtocolError } from './codec.ts';
export { cluster, kv, peers, raft } from './gen/dss.js';
