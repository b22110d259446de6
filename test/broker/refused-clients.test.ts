import { describe, expect, it } from 'vitest';
import { RefusedClients } from '../../broker/refused-clients.ts';

const limits = { refusalsMax: 3, refusalPeriodMs: 60_000, barMs: 30_000, refusedClientsMax: 2 };

describe('RefusedClients', () => {
  it('bars after three closed connections in a minute, and not after three in longer', () => {
    const clients = new RefusedClients(limits);
    for (const atMs of [0, 30_000, 60_000]) clients.closed('slow', 'h:1', atMs);
    expect(clients.isBarred('slow', 'h:1', 60_000)).toBe(false);
    clients.closed('slow', 'h:1', 60_001);
    expect(clients.isBarred('slow', 'h:1', 60_001)).toBe(true);
    expect(clients.isBarred('slow', 'h:1', 90_001)).toBe(false);
  });

  it('begins to count afresh after a bar', () => {
    const clients = new RefusedClients(limits);
    for (let i = 0; i < 5; i += 1) clients.closed('a', 'h:1', 0);
    expect(clients.isBarred('a', 'h:1', 30_000)).toBe(false);
    clients.closed('a', 'h:1', 30_000);
    expect(clients.isBarred('a', 'h:1', 30_000)).toBe(true);
  });

  it('remembers so many, and forgets the one that was closed longest ago', () => {
    const clients = new RefusedClients(limits);
    for (const name of ['a', 'a', 'a', 'b', 'c']) clients.closed(name, 'h:1', 0);
    expect(clients.isBarred('a', 'h:1', 0)).toBe(false);
    for (const name of ['b', 'b']) clients.closed(name, 'h:1', 0);
    expect(clients.isBarred('b', 'h:1', 0)).toBe(true);
  });

  it('does not take a client for a host of the same name', () => {
    const clients = new RefusedClients(limits);
    for (let i = 0; i < 3; i += 1) clients.closed('10.0.0.1', 'x:1', 0);
    expect(clients.isBarred('', '10.0.0.1:5', 0)).toBe(false);
  });
});
