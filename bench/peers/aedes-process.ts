import { createServer } from 'node:net';
import { Aedes } from 'aedes';

/** The main program of a stock aedes: as its README starts it, on the port that it is given. It says its version. */
const broker = await Aedes.createBroker();
// Its type does not say that it tells its version.
const { version } = broker as unknown as { version: string };
const server = createServer({ noDelay: true }, (socket) => broker.handle(socket));
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.send?.(version));

process.once('disconnect', () => process.exit());
