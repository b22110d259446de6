const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'mqtt:': 1883,
  'mqtts:': 8883,
  'ws:': 80,
  'wss:': 443,
};

/**
 * The addresses of nodes as MQTT.js takes them: `mqtt://` and `mqtts://` over TCP, `ws://` and `wss://` over a
 * WebSocket, which nodes have at `/mqtt` of their HTTP port. Throws a `TypeError` for anything else.
 */
export function parseAddresses(urls: string | readonly string[]): readonly string[] {
  const addresses = (typeof urls === 'string' ? urls.split(',') : urls).map((url) => url.trim());
  if (addresses.length === 0) throw new TypeError('connect needs the address of a node');
  return addresses.map(parseAddress);
}

function parseAddress(text: string): string {
  const wanted = 'the address of a node, such as mqtt://127.0.0.1:1883 or ws://127.0.0.1:8080/mqtt';
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new TypeError(`'${text}' is not ${wanted}`);
  }
  const defaultPort = DEFAULT_PORTS[url.protocol];
  if (defaultPort === undefined || url.hostname === '') {
    throw new TypeError(`'${text}' is not ${wanted}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('an address takes no user: use the options user and password');
  }
  const port = url.port === '' ? defaultPort : url.port;
  const isWebSocket = url.protocol.startsWith('ws');
  const path = isWebSocket ? (url.pathname === '/' ? '/mqtt' : url.pathname) : '';
  return `${url.protocol}//${url.hostname}:${port}${path}`;
}
