import { engine } from './engine/engine.ts';
import { fanout } from './fanout/fanout.ts';
import { http } from './http/http.ts';
import { ingest } from './ingest/ingest.ts';
import { memtable } from './memtable/memtable.ts';
import { recovery } from './recovery/recovery.ts';
import { slots } from './slots.ts';
import { verbs } from './verbs/verbs.ts';

const benches: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  engine,
  fanout,
  http,
  ingest,
  memtable,
  recovery,
  slots,
  verbs,
};

const [name, ...args] = process.argv.slice(2);
const bench = benches[name ?? ''];
if (bench) {
  await bench(args);
} else {
  process.stderr.write(`Usage: npm run bench -- <${Object.keys(benches).join('|')}> [--help]\n`);
  process.exitCode = 2;
}
