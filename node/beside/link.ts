import type { IngestRule } from '../../broker/ingest-rules/rule.ts';

/** Another broker, and who we are there. */
export interface BrokerTarget {
  /** `mqtt://host:port` or `mqtts://host:port`, without user and password. */
  readonly url: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Who signs its certificate; undefined: whom this machine trusts. */
  readonly ca: Uint8Array | undefined;
  /** MQTT 3.1.1 is 4. */
  readonly protocolVersion: 4 | 5;
}

/** What another broker has is stored here. */
export interface SourceLink {
  readonly kind: 'source';
  /** Unique among sources and sinks, and the same on all nodes: part of the client id, and what a lease names. */
  readonly name: string;
  readonly target: BrokerTarget;
  /** At least one. What they match is subscribed to; the first that matches a topic counts. */
  readonly rules: readonly IngestRule[];
}

/** What is stored here is published, retained, at another broker. */
export interface SinkLink {
  readonly kind: 'sink';
  readonly name: string;
  readonly target: BrokerTarget;
  /** MQTT filter on keys. */
  readonly filter: string;
  /** Comes before the key; empty: the key is the topic. */
  readonly topicPrefix: string;
}

export type Link = SourceLink | SinkLink;

/** How a link goes on the node that holds it. */
export interface LinkProgress {
  readonly connected: boolean;
  readonly messages: number;
  readonly ignored: number;
  /** Why it is not connected; empty: no reason is known. */
  readonly error: string;
}

export const NO_PROGRESS: LinkProgress = { connected: false, messages: 0, ignored: 0, error: '' };
