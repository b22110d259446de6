import { isIPv4, isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import type { PeerAddress } from '../membership/formation.ts';
import { invalid } from './invalid.ts';

/** How others reach this node. Without a port of its own it is the one that the node listens on. */
export interface Advertised {
  readonly host: string;
  readonly mqttPort: number | undefined;
}

/** `host:port`, an IPv6 address in brackets. */
export function formatAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only this machine can reach what listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** What the node tells others; if nobody said, what `--peers` calls it, and else where it listens. */
export function parseAdvertise(
  { text, from }: { readonly text: string; readonly from: string },
  own: { readonly peer: PeerAddress | undefined; readonly listen: string },
): Advertised {
  if (text === '') {
    if (own.peer !== undefined) return split(own.peer.mqttAddress) as Advertised;
    const isEverywhere = own.listen === '0.0.0.0' || own.listen === '::';
    return { host: isEverywhere ? hostname() : own.listen, mqttPort: undefined };
  }
  const advertised = split(text);
  if (advertised !== undefined && advertised.host !== '0.0.0.0' && advertised.host !== '::') {
    return advertised;
  }
  throw invalid(
    `${from} is "${text}", but must be how others reach this node: a name or address, or one with a port, such as 192.168.1.5:1883.`,
  );
}

/** The nodes of `--peers`, in their order, this one among them; empty if it was not given. */
export function parsePeers(
  text: string,
  { ownName, from }: { readonly ownName: string; readonly from: string },
): PeerAddress[] {
  if (text === '') return [];
  const peers = text.split(',').map((item) => {
    const match = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)=(\S+:\d+)\s*$/.exec(item);
    const address = split(match?.[2] ?? '');
    if (match === null || address === undefined) {
      throw invalid(
        `${from} has "${item}", but must be a list of name=host:port, such as n1=127.0.0.1:1883.`,
      );
    }
    return { name: match[1] as string, mqttAddress: match[2] as string };
  });
  const names = new Set(peers.map(({ name }) => name));
  if (names.size !== peers.length) throw invalid(`${from} names a node twice.`);
  if (!names.has(ownName)) {
    throw invalid(`${from} names ${[...names].join(', ')}, but not this node, ${ownName}.`);
  }
  return peers;
}

/** Members of a cluster, one or several. */
export function parseMembers(text: string, from: string): string[] {
  return text.split(',').map((item) => {
    const address = item.trim();
    if (split(address)?.mqttPort !== undefined) return address;
    throw invalid(
      `${from} has "${address}", but must be where members are reached: host:port of one, or of several with commas.`,
    );
  });
}

function split(text: string): Advertised | undefined {
  if (isIPv6(text)) return { host: text, mqttPort: undefined };
  const match = /^(?:\[([^\]]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || (match?.[1] !== undefined && !isIPv6(host))) return undefined;
  if (match?.[3] === undefined) return { host, mqttPort: undefined };
  const mqttPort = Number(match[3]);
  return mqttPort >= 1 && mqttPort <= 65_535 ? { host, mqttPort } : undefined;
}
