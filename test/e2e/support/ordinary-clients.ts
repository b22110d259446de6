import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { eventually } from '../../support/eventually.ts';
import { publish } from './clients.ts';
import { type RunningProcess, startProcess } from './processes.ts';
import type { ClusterNode } from './test-cluster.ts';

/** As Mosquitto's programs name them. */
export const VERSIONS = ['mqttv31', 'mqttv311', 'mqttv5'] as const;
export type Version = (typeof VERSIONS)[number];
/** As MQTT.js does. */
export const PROTOCOLS = [4, 5] as const;
type Protocol = (typeof PROTOCOLS)[number];

const MARK = 'message ';

/** `mosquitto_pub`, which has to succeed: at QoS 1, unless the flags say otherwise. */
export async function send(
  node: ClusterNode,
  topic: string,
  payload: string,
  ...flags: string[]
): Promise<void> {
  const { code, stderr } = await publish(node, topic, payload, ...flags);
  if (code !== 0) throw new Error(`mosquitto_pub ended with ${code}: ${stderr}`);
}

/** A `mosquitto_sub` whose subscriptions are acknowledged. */
export class Listener {
  readonly #process: RunningProcess;

  private constructor(process: RunningProcess) {
    this.#process = process;
  }

  /** At QoS 2, unless the flags say otherwise. What it gets is written as `format` says. */
  static async start(options: {
    readonly node: ClusterNode;
    readonly version: Version;
    readonly filter: string;
    readonly flags?: readonly string[];
    readonly format?: string;
  }): Promise<Listener> {
    const { node, version, filter, flags = [], format = '%r|%t|%p' } = options;
    const args = ['-p', String(node.mqttPort), '-V', version, '-q', '2', '-t', filter];
    args.push('-d', '-F', `${MARK}${format}`, ...flags);
    // What it says of itself would else come with its first message.
    const started = startProcess('stdbuf', ['-oL', 'mosquitto_sub', ...args]);
    await started.line(/^Subscribed /);
    return new Listener(started);
  }

  get messages(): string[] {
    const lines = this.#process.stdout.filter((line) => line.startsWith(MARK));
    return lines.map((line) => line.slice(MARK.length));
  }

  async until(message: string): Promise<void> {
    await this.#process.line(new RegExp(`^${MARK}${escaped(message)}$`));
  }

  /** Says DISCONNECT. */
  async leave(): Promise<void> {
    this.#process.child.kill('SIGTERM');
    await this.#process.exited;
  }

  async kill(): Promise<void> {
    this.#process.child.kill('SIGKILL');
    await this.#process.exited;
  }
}

/** A client of MQTT.js, and everything that it got. */
export class ScriptClient {
  readonly client: MqttClient;
  readonly packets: IPublishPacket[] = [];
  /** As the CONNACK said. */
  sessionPresent = false;
  /** Of the DISCONNECT of the node. */
  reasonCode: number | undefined;
  readonly closed: Promise<void>;

  private constructor(client: MqttClient) {
    this.client = client;
    this.closed = new Promise((resolve) => client.once('close', () => resolve()));
    client.on('message', (_topic, _payload, packet) => this.packets.push(packet));
    client.on('disconnect', ({ reasonCode }) => {
      this.reasonCode = reasonCode;
    });
    client.on('error', () => {});
  }

  /** `acknowledges: false`: it takes what comes and never says so. */
  static async connect(
    node: ClusterNode,
    protocolVersion: Protocol,
    options: IClientOptions & { readonly acknowledges?: boolean } = {},
  ): Promise<ScriptClient> {
    const { acknowledges = true, ...rest } = options;
    const client = mqtt.connect(node.mqttUrl, { protocolVersion, reconnectPeriod: 0, ...rest });
    const script = new ScriptClient(client);
    if (!acknowledges) swallowAcknowledgements(client);
    await new Promise<void>((resolve, reject) => {
      client.once('error', reject);
      client.once('close', () => reject(new Error('the connection was closed')));
      client.once('connect', ({ sessionPresent }) => {
        script.sessionPresent = sessionPresent;
        resolve();
      });
    });
    return script;
  }

  /** With a session that outlives the connection. */
  static persistent(
    node: ClusterNode,
    protocolVersion: Protocol,
    options: IClientOptions & { readonly acknowledges?: boolean },
  ): Promise<ScriptClient> {
    const properties = protocolVersion === 5 ? { sessionExpiryInterval: 3_600 } : {};
    return ScriptClient.connect(node, protocolVersion, { clean: false, properties, ...options });
  }

  get payloads(): string[] {
    return this.packets.map(({ payload }) => payload.toString());
  }

  async until(what: string, reached: (payloads: readonly string[]) => boolean): Promise<void> {
    await untilTrue(what, () => reached(this.payloads)).catch((error: Error) => {
      throw new Error(`${error.message}; got: ${this.payloads.slice(-20)}`);
    });
  }

  async leave(): Promise<void> {
    await this.client.endAsync();
  }

  /** As if its power had failed. */
  async vanish(): Promise<void> {
    this.client.stream.destroy();
    await this.closed;
    await this.client.endAsync(true);
  }
}

export async function untilTrue(what: string, reached: () => boolean): Promise<void> {
  await eventually(what, () => (reached() ? true : undefined));
}

/** What a subscriber that comes now is given as retained, by topic. */
export async function retainedAt(node: ClusterNode, filter: string): Promise<Map<string, string>> {
  const script = await ScriptClient.connect(node, 4);
  const marker = `marker/${node.name}/${Math.random()}`;
  // Retained messages come after the SUBACK, and before what is published later.
  await script.client.subscribeAsync([filter, marker], { qos: 1 });
  await script.client.publishAsync(marker, '', { qos: 1 });
  await eventually('the marker', () =>
    script.packets.some(({ topic }) => topic === marker) ? true : undefined,
  );
  await script.leave();
  const retained = script.packets.filter(({ retain }) => retain);
  return new Map(retained.map(({ topic, payload }) => [topic, payload.toString()]));
}

/** Waits until a subscriber that comes to the node gets just that. */
export async function untilRetained(
  node: ClusterNode,
  filter: string,
  expected: Readonly<Record<string, string>>,
): Promise<void> {
  const wanted = JSON.stringify(Object.entries(expected).sort());
  await eventually(`${wanted} is retained at ${node.name}`, async () => {
    const found = await retainedAt(node, filter);
    const text = JSON.stringify([...found].sort());
    if (text !== wanted) throw new Error(`found ${text}`);
    return true;
  });
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** MQTT.js takes the next message when it has sent them: `handleMessage` could keep it from that, but after the first only. */
function swallowAcknowledgements(client: MqttClient): void {
  type Send = (packet: { readonly cmd: string }, done?: () => void, ...rest: unknown[]) => void;
  const sender = client as unknown as { _sendPacket: Send };
  const send = sender._sendPacket.bind(client);
  sender._sendPacket = (packet, done, ...rest) => {
    if (packet.cmd === 'puback' || packet.cmd === 'pubrec') done?.();
    else send(packet, done, ...rest);
  };
}
