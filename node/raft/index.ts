export { Raft } from './raft.ts';
export * from './types.ts';
