import type { cluster } from '../../protos/index.ts';

/** Why something is done; the most urgent first. */
export const REASONS = ['repair', 'leaving', 'balance', 'leaders'] as const;
export type Reason = (typeof REASONS)[number];

/** The next thing to ask of the leader of a group, if its configuration still has this index. */
export type Step = StepContext & StepAction;

export interface StepContext {
  readonly group: number;
  readonly configurationIndex: number;
  /** The leader's node. */
  readonly leader: string;
  readonly reason: Reason;
}

export type StepAction =
  /** The voters stay. `learners` are all that there are to be; `added` those of them that are new. */
  | {
      readonly kind: 'learners';
      readonly learners: readonly string[];
      readonly added: readonly string[];
    }
  /** One joint change: every voter and learner that is not named goes out. */
  | {
      readonly kind: 'voters';
      readonly voters: readonly string[];
      readonly learners: readonly string[];
    }
  | { readonly kind: 'transfer'; readonly to: string }
  /** One joint change: the voter `suspect` for a new replica on the same node, which is a voter at once. */
  | {
      readonly kind: 'replace-suspect';
      readonly suspect: number;
      readonly node: string;
      readonly learners: readonly string[];
    };

export function requestOf(step: Step): cluster.ConfigurationRequest.$Properties {
  const { group, configurationIndex } = step;
  const request = { group, configurationIndex };
  switch (step.kind) {
    case 'learners':
      return { ...request, learners: [...step.learners] };
    case 'voters':
      return { ...request, voters: [...step.voters], learners: [...step.learners] };
    case 'transfer':
      return { ...request, transferTo: step.to };
    case 'replace-suspect': {
      const { suspect, learners } = step;
      return { ...request, replaceSuspect: true, suspect, learners: [...learners] };
    }
  }
}

/** As a phrase, with the names of nodes. */
export function stepText(step: Step, nameOf: (node: string) => string): string {
  const names = (nodes: readonly string[]) => nodes.map(nameOf).join(', ') || 'none';
  const group = `group ${step.group}`;
  switch (step.kind) {
    case 'learners':
      return `${group}: learners ${names(step.learners)}`;
    case 'voters':
      return `${group}: voters ${names(step.voters)}; learners ${names(step.learners)}`;
    case 'transfer':
      return `${group}: lead to ${nameOf(step.to)}`;
    case 'replace-suspect':
      return `${group}: a new replica for ${step.suspect} on ${nameOf(step.node)}`;
  }
}
