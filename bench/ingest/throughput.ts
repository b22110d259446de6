import { type DiskSync, measureDiskSync } from '../disk-sync.ts';
import { settle } from '../verbs/settle.ts';
import { type Contender, type ContenderName, closeAll, startContenders } from './contenders.ts';
import { inDirectory, onFailed, onProgress, type PartOptions } from './part.ts';
import { HEADLINE, type Scenario } from './scenarios.ts';
import { runTurn, type Turn, type TurnTimes } from './turn.ts';

export interface ThroughputResult {
  readonly times: TurnTimes;
  readonly diskSync: DiskSync;
  readonly scenarios: readonly ScenarioResult[];
}

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly versions: Readonly<Record<string, string>>;
  /** Each with a turn of every contender. */
  readonly rounds: readonly (readonly Turn[])[];
}

export interface ThroughputOptions extends PartOptions {
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  /** In this folder our nodes leave CPU profiles. */
  readonly profile: string | undefined;
}

/** As fast as everybody can: contenders take turns under the same load, scenario after scenario. */
export async function measureThroughput(options: ThroughputOptions): Promise<ThroughputResult> {
  const { data, times } = options;
  const diskSync = await inDirectory(data, measureDiskSync);
  const scenarios: ScenarioResult[] = [];
  for (const scenario of options.scenarios) {
    const result = await runScenario(scenario, options).catch(onFailed(scenario.name));
    if (result !== undefined) scenarios.push(result);
  }
  return { times, diskSync, scenarios };
}

function runScenario(scenario: Scenario, options: ThroughputOptions): Promise<ScenarioResult> {
  const { rounds: roundCount, times, profile } = options;
  const names = contestantsOf(scenario, options.contenders);
  return inDirectory(options.data, async (directory) => {
    const contenders = await startContenders(names, directory, scenario, profile);
    try {
      const rounds: Turn[][] = [];
      for (let round = 1; round <= roundCount; round += 1) {
        onProgress(`${scenario.name}: round ${round} of ${roundCount}`);
        const first = (round - 1) % contenders.length;
        const order = [...contenders.slice(first), ...contenders.slice(0, first)];
        rounds.push(await runRound(order, scenario, times));
      }
      const versions = contenders.map(({ name, version }) => [name, version] as const);
      return { scenario, versions: Object.fromEntries(versions), rounds };
    } finally {
      await closeAll(contenders);
    }
  });
}

/** Where only our own nodes differ from the headline, others would do the same again but for the one they are measured by. */
function contestantsOf(scenario: Scenario, names: readonly ContenderName[]): ContenderName[] {
  const { replicationFactor, shards, engine } = scenario;
  const isOnlyOurs =
    replicationFactor !== HEADLINE.replicationFactor ||
    shards !== HEADLINE.shards ||
    engine !== HEADLINE.engine;
  return names.filter((name) => !isOnlyOurs || name === 'dss' || name === 'mosquitto');
}

async function runRound(
  order: readonly Contender[],
  scenario: Scenario,
  times: TurnTimes,
): Promise<Turn[]> {
  const turns: Turn[] = [];
  for (const contender of order) {
    turns.push(await runTurn(contender, scenario, times));
    // Compactions that are left over would else be in the way of whoever comes next.
    if (contender.dss !== undefined) await settle(contender.dss);
  }
  return turns;
}
