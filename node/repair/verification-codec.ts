import { cluster } from '../../protos/index.ts';
import type { Place } from '../shard/configuration.ts';
import type { Verification } from './verifier.ts';

const { VerificationState, ReplicaVerdict } = cluster;

const STATES: Readonly<Record<Verification['state'], cluster.VerificationState>> = {
  waiting: VerificationState.VERIFICATION_WAITING,
  running: VerificationState.VERIFICATION_RUNNING,
  equal: VerificationState.VERIFICATION_EQUAL,
  different: VerificationState.VERIFICATION_DIFFERENT,
  'cut-off': VerificationState.VERIFICATION_CUT_OFF,
};

export type VerdictName = 'agrees' | 'differs' | 'missing';

const VERDICTS: Readonly<Record<VerdictName, cluster.ReplicaVerdict>> = {
  agrees: ReplicaVerdict.REPLICA_AGREES,
  differs: ReplicaVerdict.REPLICA_DIFFERS,
  missing: ReplicaVerdict.REPLICA_MISSING,
};

/** A verification as another node tells of it. */
export type ReportedVerification = Omit<Verification, 'comparison'> & {
  readonly replicas: readonly (Place & { readonly verdict: VerdictName })[];
  readonly slots: readonly number[];
};

export function reportedOf({ comparison, ...rest }: Verification): ReportedVerification {
  const verdicts = (verdict: VerdictName, places: readonly Place[] = []) =>
    places.map((place) => ({ ...place, verdict }));
  return {
    ...rest,
    replicas: [
      ...verdicts('agrees', comparison?.agreeing),
      ...verdicts('differs', comparison?.differing),
      ...verdicts('missing', comparison?.missing),
    ],
    slots: comparison?.slots ?? [],
  };
}

export function verificationToWire(
  verification: ReportedVerification,
): cluster.Verification.$Properties {
  const { state, replicas, slots, ...rest } = verification;
  return {
    ...rest,
    state: STATES[state],
    replicas: replicas.map((each) => ({ ...each, verdict: VERDICTS[each.verdict] })),
    slots: [...slots],
  };
}

export function verificationFromWire(wire: cluster.Verification.$Properties): ReportedVerification {
  const { group = 0, index = 0, startedAtMs = 0, endedAtMs = 0, entries = 0, bytes = 0 } = wire;
  return {
    ...{ group, index, startedAtMs, endedAtMs, entries, bytes },
    state: nameOf(STATES, wire.state) ?? 'cut-off',
    replicas: (wire.replicas ?? []).map(({ replicaId = 0, node = '', verdict }) => ({
      replicaId,
      node,
      verdict: nameOf(VERDICTS, verdict) ?? 'missing',
    })),
    slots: wire.slots ?? [],
  };
}

function nameOf<Name extends string>(
  names: Readonly<Record<Name, number>>,
  value: number | undefined,
): Name | undefined {
  return (Object.keys(names) as Name[]).find((name) => names[name] === value);
}
