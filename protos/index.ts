import './runtime.ts';

export { decode, encode, ProtocolError } from './codec.ts';
export { cluster, kv, mqtt, raft } from './gen/dss.js';
