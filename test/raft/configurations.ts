import type { Configuration, ConfigurationCodec, ReplicaId } from '../../node/raft/types.ts';
import { text, utf8 } from '../support/text.ts';

/** The configurations of these tests as data: JSON. */

/** `demoted` are those of `outgoing` that become learners when the joint configuration is left. */
export interface TestConfiguration extends Configuration {
  readonly demoted: readonly ReplicaId[];
}

export function encodeConfiguration(configuration: Partial<TestConfiguration>): Uint8Array {
  const { voters = [], outgoing = [], learners = [], demoted = [] } = configuration;
  return utf8(JSON.stringify({ voters, outgoing, learners, demoted }));
}

export function decodeConfiguration(data: Uint8Array): TestConfiguration {
  return JSON.parse(text(data));
}

export const testCodec: ConfigurationCodec = {
  read: decodeConfiguration,
  leaveJoint: (data) => {
    const { voters, learners, demoted } = decodeConfiguration(data);
    return encodeConfiguration({ voters, learners: [...learners, ...demoted] });
  },
};

export function describeConfiguration(data: Uint8Array): string {
  const configuration = decodeConfiguration(data);
  const parts = (['voters', 'outgoing', 'learners', 'demoted'] as const)
    .filter((key) => configuration[key].length > 0)
    .map((key) => `${key} ${configuration[key].join(' ')}`);
  return parts.join(', ') || 'nobody';
}
