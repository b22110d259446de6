import './runtime.ts';

export { decode, encode, ProtocolError } from './codec.ts';
export { cluster, kv, mqtt, peers, raft } from './gen/dss.js';
