import { type StockAedes, startAedes } from '../peers/aedes.ts';
import { type DssCluster, startDss } from '../peers/dss.ts';
import { type Mosquitto, startMosquitto } from '../peers/mosquitto.ts';

/** A broker, and a way to publish through it. */
export interface Contender {
  /** `dss`: ordinary topics. `dss value`: puts, and subscriptions to values. */
  readonly name: 'dss' | 'dss value' | 'aedes' | 'mosquitto';
  readonly publishPort: number;
  readonly subscribePorts: readonly number[];
  /** Of all that it consists of. */
  readonly processIds: readonly number[];
  /** What topics begin with where one publishes, and where one subscribes. */
  readonly prefixes: { readonly publish: string; readonly subscribe: string };
}

export interface Contest {
  readonly contenders: readonly Contender[];
  readonly versions: readonly string[];
  close(): Promise<void>;
}

const ORDINARY = { publish: '', subscribe: '' };
const VALUES = { publish: 'dss/put/', subscribe: 'dss/value/' };

/** Nodes of ours beside the others, of which each is one process. */
export async function startContest(directory: string, nodeCount: number): Promise<Contest> {
  const started: { close(): Promise<void> }[] = [];
  const close = async () => {
    for (const each of started.reverse()) await each.close();
  };
  try {
    const dss = await startDss(directory, nodeCount);
    started.push(dss);
    const aedes = await startAedes();
    started.push(aedes);
    const mosquitto = await startMosquitto(directory);
    if (mosquitto === undefined) process.stderr.write('Mosquitto is not installed.\n');
    else started.push(mosquitto);
    const rest = [
      others('aedes', aedes),
      ...(mosquitto === undefined ? [] : [others('mosquitto', mosquitto)]),
    ];
    return {
      contenders: [...(await ours(dss)), ...rest],
      versions: [aedes.version, ...(mosquitto === undefined ? [] : [mosquitto.version])],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Where there are several nodes, whoever subscribes is connected to others than whoever publishes. */
async function ours(dss: DssCluster): Promise<Contender[]> {
  const status = await dss.status();
  const [publishPort = 0, ...elsewhere] = dss.mqttPorts;
  const places = {
    publishPort,
    subscribePorts: elsewhere.length === 0 ? [publishPort] : elsewhere,
    processIds: status.map(({ process: { processId } }) => processId),
  };
  return [
    { name: 'dss', ...places, prefixes: ORDINARY },
    { name: 'dss value', ...places, prefixes: VALUES },
  ];
}

function others(name: 'aedes' | 'mosquitto', { port, processId }: StockAedes | Mosquitto) {
  const places = { publishPort: port, subscribePorts: [port], processIds: [processId] };
  return { name, ...places, prefixes: ORDINARY };
}
