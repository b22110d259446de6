import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startAedes } from '../peers/aedes.ts';
import { type DssCluster, type DssOptions, startDss } from '../peers/dss.ts';
import { startMosquitto } from '../peers/mosquitto.ts';
import { startNats } from '../peers/nats.ts';
import type { Scenario } from './scenarios.ts';

export const NODE_COUNT = 3;
export const CONTENDERS = ['dss', 'mosquitto', 'mosquitto-persistent', 'nats', 'aedes'] as const;
export type ContenderName = (typeof CONTENDERS)[number];

/** A broker, of one or several processes, and how messages are published to it. */
export interface Contender {
  readonly name: string;
  readonly version: string;
  readonly ports: readonly number[];
  readonly processes: readonly { readonly name: string; readonly processId: number }[];
  readonly topicPrefix: string;
  readonly subscribePrefix: string;
  /** Where nothing else would make it store what is published. */
  readonly retain: boolean;
  readonly dss: DssCluster | undefined;
  /** Writes what it would else write later. */
  readonly saveNow?: () => void;
  close(): Promise<void>;
}

/** As many clients as a scenario has may connect at once. */
const SETTINGS = { limits: { connectionsPerSecond: 0 } };
const ORDINARY = {
  topicPrefix: 'bench/',
  subscribePrefix: 'bench/',
  retain: false,
  dss: undefined,
};

/** Who can be started; of the others a line says why they are not there. */
export async function startContenders(
  names: readonly ContenderName[],
  directory: string,
  scenario: Scenario,
  profile?: string,
): Promise<readonly Contender[]> {
  const started: Contender[] = [];
  try {
    for (const name of names) {
      const own = join(directory, name);
      await mkdir(own, { recursive: true });
      const contender = await starters[name](own, scenario, profile);
      if (contender !== undefined) started.push(contender);
      else process.stderr.write(`${name} is left out: it is not installed.\n`);
    }
    return started;
  } catch (error) {
    await closeAll(started);
    throw error;
  }
}

export async function closeAll(contenders: readonly Contender[]): Promise<void> {
  for (const contender of [...contenders].reverse()) await contender.close();
}

/** Three nodes; `settings` as they stand in their configuration file. */
export async function startOurs(
  directory: string,
  scenario: Scenario,
  options: DssOptions & { readonly name?: string } = {},
): Promise<Contender> {
  await mkdir(directory, { recursive: true });
  const { replicationFactor, shards, engine, isOneSided } = scenario;
  const dss = await startDss(directory, NODE_COUNT, {
    profile: options.profile,
    settings: { ...SETTINGS, replicationFactor, shards, storage: { engine }, ...options.settings },
  });
  return {
    name: options.name ?? 'dss',
    version: 'dss',
    ports: isOneSided ? dss.mqttPorts.slice(0, 1) : dss.mqttPorts,
    processes: dss.processIds.map((processId, index) => ({ name: `n${index + 1}`, processId })),
    topicPrefix: 'dss/put/bench/',
    subscribePrefix: 'dss/value/bench/',
    retain: false,
    dss,
    close: () => dss.close(),
  };
}

type Starter = (
  directory: string,
  scenario: Scenario,
  profile: string | undefined,
) => Promise<Contender | undefined>;

const starters: Readonly<Record<ContenderName, Starter>> = {
  dss: (directory, scenario, profile) => startOurs(directory, scenario, { profile }),
  mosquitto: async (directory) => {
    const mosquitto = await startMosquitto(directory);
    return mosquitto && single('mosquitto', mosquitto);
  },
  'mosquitto-persistent': async (directory) => {
    const mosquitto = await startMosquitto(directory, { persistence: true });
    // It keeps what is retained, of each topic the newest; and nothing of what nobody has subscribed to.
    const saveNow = () => process.kill(mosquitto?.processId ?? 0, 'SIGUSR1');
    return mosquitto && { ...single('mosquitto-persistent', mosquitto), retain: true, saveNow };
  },
  nats: async (directory, { isOneSided }) => {
    const nats = await startNats(directory, NODE_COUNT);
    if (nats === undefined) return undefined;
    return {
      ...ORDINARY,
      name: 'nats',
      version: nats.version,
      ports: isOneSided ? nats.mqttPorts.slice(0, 1) : nats.mqttPorts,
      processes: nats.processIds.map((processId, index) => ({ name: `n${index + 1}`, processId })),
      close: () => nats.close(),
    };
  },
  aedes: async () => single('aedes', await startAedes()),
};

function single(
  name: ContenderName,
  broker: {
    readonly version: string;
    readonly port: number;
    readonly processId: number;
    close(): Promise<void>;
  },
): Contender {
  return {
    ...ORDINARY,
    name,
    version: broker.version,
    ports: [broker.port],
    processes: [{ name, processId: broker.processId }],
    close: () => broker.close(),
  };
}
