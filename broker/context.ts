import type { Authenticator } from './access.ts';
import type { AnswerCounts } from './answer-counts.ts';
import type { BatchBuffers } from './batch-buffers.ts';
import type { BulkPace } from './bulk-pace.ts';
import type { Counters } from './counters.ts';
import type { ClusterDoor, DataPlane } from './data-plane.ts';
import type { EndOfTurn } from './end-of-turn.ts';
import type { BrokerEnv } from './env.ts';
import type { Front } from './front.ts';
import type { Keepalives } from './keepalives.ts';
import type { BrokerLimits } from './limits.ts';
import type { LiveRules } from './live-rules.ts';
import type { LooseMessages } from './loose-messages.ts';
import type { ClientSessions } from './ordinary/client-sessions.ts';
import type { Peers } from './ordinary/peers.ts';
import type { RareWarning } from './rare-warning.ts';
import type { ReadBudget } from './read-budget.ts';
import type { Refusals } from './refusals.ts';
import type { RefusedClients } from './refused-clients.ts';
import type { SessionUsers } from './session-users.ts';
import type { Sessions } from './sessions.ts';
import type { Strangers } from './strangers.ts';
import type { TokenBucket } from './token-bucket.ts';
import type { SharedFrames } from './value-frames.ts';

/** What all connections of a broker share. */
export interface BrokerContext {
  readonly env: BrokerEnv;
  readonly limits: BrokerLimits;
  /** What becomes of a PUBLISH whose own bytes can never be valid (DESIGN §7). */
  readonly onInvalid: 'ack' | 'close';
  readonly dataPlane: DataPlane;
  readonly clusterDoor: ClusterDoor;
  /** Undefined: everybody may do everything. */
  readonly authenticator: Authenticator | undefined;
  readonly sessions: Sessions;
  readonly clients: ClientSessions;
  readonly peers: Peers;
  readonly sessionUsers: SessionUsers;
  readonly ingestRules: LiveRules;
  readonly looseMessages: LooseMessages;
  readonly refusals: Refusals;
  readonly refusedClients: RefusedClients;
  readonly strangers: Strangers<Front>;
  readonly keepalives: Keepalives;
  /** CONNECTs of clients; undefined: any number. */
  readonly connectRate: TokenBucket | undefined;
  /** Of clients that publish faster than they may. */
  readonly pauseWarning: RareWarning;
  readonly counters: Counters;
  readonly answerCounts: AnswerCounts;
  readonly frames: SharedFrames;
  readonly endOfTurn: EndOfTurn;
  readonly bulkPace: BulkPace;
  readonly batchBuffers: BatchBuffers;
  readonly readBudget: ReadBudget;
}

/** What of it those need who carry requests out that came by another door. */
export type RequestContext = Pick<
  BrokerContext,
  'env' | 'limits' | 'dataPlane' | 'counters' | 'answerCounts' | 'refusals'
>;
