import { usageError } from './errors.ts';

export interface MqttAddress {
  readonly host: string;
  readonly port: number;
  /** `mqtts://`. */
  readonly secure: boolean;
  readonly url: string;
}

const MQTT_PORT = 1883;
const MQTTS_PORT = 8883;
const SECURE: Readonly<Record<string, boolean>> = {
  'mqtt:': false,
  'tcp:': false,
  'mqtts:': true,
  'tls:': true,
};

/** Reads `--node` values: URLs or `host:port`, each possibly several with commas between them. */
export function parseNodeAddresses(texts: readonly string[]): MqttAddress[] {
  const addresses = texts
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map(parseNodeAddress);
  if (addresses.length === 0) throw usageError('--node needs at least one address');
  return addresses;
}

function parseNodeAddress(text: string): MqttAddress {
  const wanted = 'an address such as mqtt://127.0.0.1:1883';
  let url: URL;
  try {
    url = new URL(text.includes('://') ? text : `mqtt://${text}`);
  } catch {
    throw usageError(`'${text}' is not ${wanted}`);
  }
  const secure = SECURE[url.protocol];
  if (secure === undefined) {
    throw usageError(`'${text}' is not ${wanted}: only mqtt:// and mqtts:// are possible`);
  }
  if (url.username !== '' || url.password !== '') {
    throw usageError('--node takes no user: give it with --user and DSS_PASSWORD');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === '') throw usageError(`'${text}' is not ${wanted}`);
  const port = url.port === '' ? (secure ? MQTTS_PORT : MQTT_PORT) : Number(url.port);
  const scheme = secure ? 'mqtts' : 'mqtt';
  return { host, port, secure, url: `${scheme}://${url.hostname}:${port}` };
}
