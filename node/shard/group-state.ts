import type { kv } from '../../protos/index.ts';
import { Retention } from '../retention/retention.ts';
import { EMPTY_SETTINGS } from '../settings/settings.ts';
import { settingsFromProto } from '../settings/settings-codec.ts';
import type { GroupState } from './state-machine.ts';
import { Streams } from './streams.ts';

/** The state machine's state as a flush stored it or a snapshot brought it. */
export function stateOf(position: kv.GroupPosition.$Properties): GroupState {
  const { appliedIndex = 0, appliedTerm = 0, highestVersion = 0, retention, settings } = position;
  const streams = (position.streams ?? []).map(
    ({ node = '', startCounter = 0, number = 0 }) => [node, { startCounter, number }] as const,
  );
  return {
    appliedIndex,
    appliedTerm,
    highestVersion,
    streams: new Streams(streams),
    retention: retention == null ? Retention.initial : Retention.fromProto(retention),
    settings: settings == null ? EMPTY_SETTINGS : settingsFromProto(settings),
  };
}
