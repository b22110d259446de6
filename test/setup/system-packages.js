// Run before the tests: sees to it that the MQTT programs which some tests speak to are there, and the browser
// that shows the dashboard. They are other people's programs on purpose: what ours promise, `mosquitto_sub` must
// be able to see.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { reportMissing } from './missing.js';

// The broker lives in /usr/sbin, which is not on every PATH.
const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
const has = (program) => directories.some((directory) => existsSync(join(directory, program)));

/** What the tests want, how to see that it is there, and the Debian package that brings it. */
const wanted = [
  ...['mosquitto_pub', 'mosquitto_sub', 'mosquitto_rr'].map((program) => ({
    what: program,
    isThere: () => has(program),
    package: 'mosquitto-clients',
  })),
  { what: 'mosquitto', isThere: () => has('mosquitto'), package: 'mosquitto' },
  { what: 'paho-mqtt for Python', isThere: hasPaho, package: 'python3-paho-mqtt' },
  { what: 'chromium', isThere: () => has('chromium'), package: 'chromium' },
];

/** Debian's package is for Debian's Python; another one that is first on the PATH does not see it. */
function hasPaho() {
  return ['python3', '/usr/bin/python3'].some((python) => {
    try {
      execFileSync(python, ['-c', 'import paho.mqtt.client'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

const missing = () => wanted.filter(({ isThere }) => !isThere());

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

const absent = missing();
if (absent.length > 0) {
  const names = [...new Set(absent.map((thing) => thing.package))];
  const reason = install(names);
  const left = missing().map(({ what }) => what);
  if (left.length > 0) {
    reportMissing(
      left.join(', '),
      reason ?? 'not part of what was installed',
      `apt-get install ${names.join(' ')}`,
    );
  }
}
