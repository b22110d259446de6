import type { Authenticator } from '../../broker/access.ts';
import type { Broker } from '../../broker/broker.ts';
import { type Listener, listenTcp } from '../../broker/server.ts';
import type { NodeOptions } from '../config/config.ts';
import type { TlsMaterial } from '../config/tls.ts';
import { NodeError } from '../errors.ts';
import { type HttpOptions, type HttpServer, serveHttp } from '../http/server.ts';

/** Where a node can be reached: MQTT over TCP, and HTTP with MQTT over WebSocket; either all with TLS or none. */
export interface Doors {
  readonly mqttPort: number;
  readonly httpPort: number;
  /** Nobody gets in any more; who is in gets what is committed acknowledged. */
  close(): Promise<void>;
}

/** Takes the broker over: it is closed with the doors, and if they cannot be opened. @throws {NodeError} PORT_TAKEN */
export async function openDoors(
  broker: Broker,
  options: Pick<NodeOptions, 'listen' | 'mqttPort' | 'httpPort' | 'tls' | 'users' | 'anonymous'>,
  routes: Pick<HttpOptions, 'status' | 'where' | 'missing' | 'routes' | 'failed' | 'refused'> & {
    readonly authenticator: Authenticator | undefined;
  },
): Promise<Doors> {
  const { listen: host, users, anonymous } = options;
  const tls = options.tls === undefined ? undefined : listenerTls(options.tls);
  const mqtt = await listenTcp(broker, { host, port: options.mqttPort, tls }).catch(
    async (error) => {
      await broker.close();
      portTaken(error, 'MQTT', host, options.mqttPort);
    },
  );
  let http: HttpServer;
  try {
    http = await serveHttp({
      host,
      port: options.httpPort,
      tls,
      isLocalOnly: users.length === 0 && !anonymous,
      handleMqtt: (stream, address) => broker.handle(stream, address),
      ...routes,
    });
  } catch (error) {
    await closeAll(broker, [mqtt]);
    portTaken(error as NodeJS.ErrnoException, 'HTTP', host, options.httpPort);
  }
  return {
    mqttPort: mqtt.address.port,
    httpPort: http.port,
    close: () => closeAll(broker, [mqtt, http]),
  };
}

/** Listeners close when their connections are gone, and it is the broker that ends those. */
async function closeAll(
  broker: Broker,
  listeners: readonly (Listener | HttpServer)[],
): Promise<void> {
  const closed = listeners.map((listener) => listener.close());
  await broker.close();
  await Promise.all(closed);
}

function listenerTls({ cert, key, ca, clientCertificates }: TlsMaterial) {
  const requestCert = clientCertificates === 'required';
  return { cert, key, ...(ca === undefined ? {} : { ca }), requestCert };
}

function portTaken(error: NodeJS.ErrnoException, what: string, host: string, port: number): never {
  if (error.code !== 'EADDRINUSE') throw error;
  throw new NodeError(
    'PORT_TAKEN',
    `the ${what} port ${port} on ${host} is taken by another program; choose another with --${what.toLowerCase()}-port.`,
    { cause: error },
  );
}
