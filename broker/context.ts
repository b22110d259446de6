import type { Counters } from './counters.ts';
import type { ClusterDoor, DataPlane } from './data-plane.ts';
import type { EndOfTurn } from './end-of-turn.ts';
import type { BrokerEnv } from './env.ts';
import type { BrokerLimits } from './limits.ts';
import type { ReceivedIds } from './received-ids.ts';
import type { Refusals } from './refusals.ts';
import type { Sessions } from './sessions.ts';
import type { ValueFrames } from './value-frames.ts';

/** What all connections of a broker share. */
export interface BrokerContext {
  readonly env: BrokerEnv;
  readonly limits: BrokerLimits;
  /** What becomes of a PUBLISH whose own bytes can never be valid (DESIGN §7). */
  readonly onInvalid: 'ack' | 'close';
  readonly dataPlane: DataPlane;
  readonly clusterDoor: ClusterDoor;
  readonly sessions: Sessions;
  readonly refusals: Refusals;
  readonly counters: Counters;
  readonly frames: ValueFrames;
  readonly endOfTurn: EndOfTurn;
  readonly receivedIds: ReceivedIds;
}
