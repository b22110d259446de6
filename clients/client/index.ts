export type { Write } from './batches.ts';
export type { Change } from './change.ts';
export { type Client, connect } from './client.ts';
export { DssError } from './errors.ts';
export type { Lease } from './lease.ts';
export type {
  BatchWritten,
  CasOptions,
  CasResult,
  ClientEvents,
  ConnectOptions,
  GetOptions,
  HistoryOptions,
  Options,
  PageOptions,
  PutOptions,
  RangeOptions,
  WriteOptions,
  Written,
} from './options.ts';
export type { Item, Time, Value } from './values.ts';
