// Run before the tests: sees to it that the MQTT programs which some tests speak to are there. They are
// other people's programs on purpose: what ours promise, `mosquitto_sub` must be able to see.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian package by program. The broker lives in /usr/sbin, which is not on every PATH. */
const packages = {
  mosquitto_pub: 'mosquitto-clients',
  mosquitto_sub: 'mosquitto-clients',
  mosquitto: 'mosquitto',
};
const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
const has = (program) => directories.some((directory) => existsSync(join(directory, program)));
const missing = () => Object.keys(packages).filter((program) => !has(program));

/** @returns {string | undefined} Why nothing could be installed. */
function install(names) {
  if (process.getuid?.() !== 0) return 'only root can install packages';
  if (!has('apt-get')) return 'there is no apt-get on this machine';
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (...args) => execFileSync('apt-get', args, { env, stdio: 'inherit' });
  try {
    run('update', '-q');
    run('install', '-q', '-y', '--no-install-recommends', ...names);
  } catch (error) {
    return `apt-get failed: ${error.message}`;
  }
}

const wanted = missing();
if (wanted.length > 0) {
  const names = [...new Set(wanted.map((program) => packages[program]))];
  const reason = install(names);
  const absent = missing();
  if (absent.length > 0) {
    const required = process.env.CI === 'true';
    console.error(
      [
        '',
        `*** ${absent.join(', ')} not found: ${reason ?? 'not part of what was installed'}.`,
        required
          ? '*** With CI=true that is a failure.'
          : '*** TESTS THAT SPEAK TO THEM WILL BE SKIPPED.',
        `*** To install them: apt-get install ${names.join(' ')}`,
        '',
      ].join('\n'),
    );
    if (required) process.exit(1);
  }
}
