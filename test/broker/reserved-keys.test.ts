import { describe, expect, it } from 'vitest';
import {
  isReserved,
  keyBytes,
  keyText,
  ownerOf,
  parseTableKey,
  queueKey,
  reaches,
  TABLES_FILTER,
  tableKey,
} from '../../broker/reserved-keys.ts';
import { slotOf } from '../../node/ring/slots.ts';

const OWNER = ownerOf('client');

describe('reserved keys', () => {
  it('are bytes that are no text, and texts that no client can send', () => {
    for (const key of [tableKey('session', OWNER), queueKey(OWNER, 'n1-é/3')]) {
      const bytes = keyBytes(key);
      expect(isReserved(bytes)).toBe(true);
      expect(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes)).toThrow();
      expect(key).toContain('\0');
      expect(keyText(bytes)).toBe(key);
    }
    expect(keyText(keyBytes('plant1/é'))).toBe('plant1/é');
    // U+FFFD is what the first byte would be read as.
    expect(isReserved(keyBytes('\ufffd/t'))).toBe(false);
  });

  it('are in one slot if they have one owner, and in many if they have many', () => {
    const slotOfText = (text: string) => {
      const padded = Buffer.concat([Buffer.from('xy'), keyBytes(text)]);
      return slotOf(padded, 2, padded.length);
    };
    const keys = [
      tableKey('session', OWNER),
      tableKey('retained', OWNER),
      ...Array.from({ length: 20 }, (_, i) => queueKey(OWNER, `n1-1-${i}`)),
    ];
    expect(new Set(keys.map(slotOfText)).size).toBe(1);
    const owners = Array.from({ length: 500 }, (_, i) => ownerOf(`client${i}`));
    const slots = new Set(owners.map((owner) => slotOfText(tableKey('session', owner))));
    expect(slots.size).toBeGreaterThan(150);
  });

  it('are reached by filters that name them, and by no wildcard of a user', () => {
    const record = tableKey('session', OWNER);
    expect(reaches(TABLES_FILTER, record)).toBe(true);
    expect(parseTableKey(record)).toEqual({ table: 'session', owner: OWNER });
    expect(reaches(TABLES_FILTER, queueKey(OWNER, 'id'))).toBe(false);
    for (const filter of ['#', '+/#', '+/t/#', '+/+/+/+'])
      expect(reaches(filter, record)).toBe(false);
    expect(reaches('#', 'plant1/temp')).toBe(true);
  });
});
