import { usageError } from './errors.ts';

export interface MqttAddress {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

const MQTT_PORT = 1883;

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
  if (url.protocol !== 'mqtt:' && url.protocol !== 'tcp:') {
    throw usageError(`'${text}' is not ${wanted}: only mqtt:// is possible`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === '') throw usageError(`'${text}' is not ${wanted}`);
  const port = url.port === '' ? MQTT_PORT : Number(url.port);
  return { host, port, url: `mqtt://${url.hostname}:${port}` };
}
