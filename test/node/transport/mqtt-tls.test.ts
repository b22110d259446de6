import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { listenTcp } from '../../../broker/server.ts';
import type { TlsMaterial } from '../../../node/config/tls.ts';
import { MqttTransport } from '../../../node/transport/mqtt.ts';
import { startBroker } from '../../broker/harness.ts';
import { caOfTests, certificates, tlsOf } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const material = (pair: { cert: string; key: string }, ca?: Buffer): TlsMaterial => ({
  ...tlsOf(pair),
  ca,
  clientCertificates: 'none',
});

function transport(tls: TlsMaterial | undefined): MqttTransport {
  const credentials = () => ({ username: 'dss-node/one', password: 'secret' });
  const opened = new MqttTransport({ node: 'one', credentials, tls });
  cleanUp.push(() => opened.close());
  return opened;
}

/** What arrives at a peer whose listener has `server`, from a node that has `own`. */
async function arrives(server: TlsOptions, own: TlsMaterial): Promise<string> {
  const { broker, door } = await startBroker();
  const listener = await listenTcp(broker, { host: '127.0.0.1', port: 0, tls: server });
  cleanUp.push(async () => {
    const closed = listener.close();
    await broker.close();
    await closed;
  });
  const sender = transport(own);
  const address = `127.0.0.1:${listener.address.port}`;
  sender.connect(address);
  await eventually('it can be sent', () =>
    sender.send(address, 'consensus', 'x', Buffer.from('hello')) ? true : undefined,
  );
  const message = await eventually('it arrives', () => door.messages[0]);
  return `${message.peer}: ${message.payload}`;
}

/** How many bytes a node tells a peer that shows it this certificate. */
async function told(server: TlsOptions, own: TlsMaterial): Promise<number> {
  let bytes = 0;
  const ended = new Promise<void>((resolve) => {
    const peer: Server = createServer({ minVersion: 'TLSv1.2', ...server }, (socket) => {
      socket.on('data', (data) => {
        bytes += data.length;
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
    peer.on('tlsClientError', () => resolve());
    peer.listen(0, '127.0.0.1', () => {
      transport(own).connect(`127.0.0.1:${(peer.address() as AddressInfo).port}`);
    });
    cleanUp.push(() => new Promise((closed) => peer.close(closed)));
  });
  await ended;
  return bytes;
}

describe('nodes with TLS', () => {
  it('know each other by the CA', async () => {
    const server = tlsOf(certificates.node);
    expect(await arrives(server, material(certificates.node, caOfTests))).toBe('one: hello');
    expect(await arrives(server, material(certificates.other, caOfTests))).toBe('one: hello');
  });

  it('know each other by having the same certificate, whatever its name', async () => {
    const server = tlsOf(certificates.self);
    expect(await arrives(server, material(certificates.self))).toBe('one: hello');
  });

  it('show their own where a peer asks for it', async () => {
    const server = { ...tlsOf(certificates.node), ca: caOfTests, requestCert: true };
    expect(await arrives(server, material(certificates.other, caOfTests))).toBe('one: hello');
  });

  it('tell nothing to a peer that shows something else', async () => {
    const own = material(certificates.node, caOfTests);
    expect(await told(tlsOf(certificates.self), own)).toBe(0);
    expect(await told(tlsOf(certificates.other), own)).toBe(0);
    expect(await told(tlsOf(certificates.node), material(certificates.self))).toBe(0);
    const byNodeItself = material(certificates.self, readFileSync(certificates.node.cert));
    expect(await told(tlsOf(certificates.other), byNodeItself)).toBe(0);
  });
});
