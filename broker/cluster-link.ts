import type { ClusterDoor } from './data-plane.ts';
import { uint16 } from './field-reader.ts';
import { PacketType } from './frame-encoder.ts';
import type { FrameSplitter } from './frame-splitter.ts';
import { utf8Text } from './json.ts';
import { isTopicName } from './topics.ts';

/** A node says who it is with this before its node id, in the user name of its CONNECT. */
export const NODE_USERNAME_PREFIX = 'dss-node/';

const CLUSTER_PREFIX = 'dss/cluster/';

/**
 * A connection from another node that has proved the cluster secret. It only publishes, at QoS 0, to
 * `dss/cluster/…` (DESIGN §6), and none of that ever enters MQTT sessions.
 */
export class ClusterLink {
  readonly #door: ClusterDoor;
  readonly #peer: string;

  constructor(door: ClusterDoor, peer: string) {
    this.#door = door;
    this.#peer = peer;
  }

  receive(frame: FrameSplitter): 'taken' | 'ping' | 'goodbye' | 'violation' {
    switch (frame.header) {
      case PacketType.publish << 4:
        return this.#message(frame) ? 'taken' : 'violation';
      case PacketType.pingreq << 4:
        return 'ping';
      case PacketType.disconnect << 4:
        return 'goodbye';
      default:
        return 'violation';
    }
  }

  disconnected(): void {
    this.#door.disconnected(this.#peer);
  }

  #message({ buffer, bodyStart, end }: FrameSplitter): boolean {
    if (end - bodyStart < 2) return false;
    const topicStart = bodyStart + 2;
    const topicEnd = topicStart + uint16(buffer, bodyStart);
    if (topicEnd > end || !isTopicName(buffer, topicStart, topicEnd)) return false;
    const topic = utf8Text(buffer.subarray(topicStart, topicEnd));
    if (!topic.startsWith(CLUSTER_PREFIX)) return false;
    this.#door.receive(
      this.#peer,
      topic.slice(CLUSTER_PREFIX.length),
      buffer.subarray(topicEnd, end),
    );
    return true;
  }
}
