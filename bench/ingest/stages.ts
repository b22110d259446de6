import type { StatusDocument } from '../../clients/cli/status-document.ts';

/** The time of one stage in one node, while a load ran: what of it is CPU time `broker/stages.ts` says. */
export interface StageCosts {
  readonly stage: string;
  /** By all messages of all clients, so that the stages of a node add up to the time that it takes for a message. */
  readonly microsPerMessage: number;
  /** By those that came through this stage in this node. */
  readonly microsPerPassed: number;
}

/** What a node says of its stages since it began. */
type Stages = Readonly<Record<string, { readonly micros: number; readonly messages: number }>>;

export function stagesBetween(
  before: StatusDocument | undefined,
  after: StatusDocument | undefined,
  messages: number,
): StageCosts[] | null {
  const [first, last] = [stagesOf(before), stagesOf(after)];
  if (last === undefined) return null;
  return Object.entries(last).map(([stage, total]) => {
    const micros = total.micros - (first?.[stage]?.micros ?? 0);
    const passed = total.messages - (first?.[stage]?.messages ?? 0);
    return {
      stage,
      microsPerMessage: micros / messages,
      microsPerPassed: passed === 0 ? 0 : micros / passed,
    };
  });
}

function stagesOf(status: StatusDocument | undefined): Stages | undefined {
  return (status?.process as { readonly stages?: Stages } | undefined)?.stages;
}
