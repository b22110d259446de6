/**
 * Says loudly that tests will be skipped. On a build machine (CI=true) nothing may be skipped: ends with 1.
 *
 * @param {string} what
 * @param {string} reason
 * @param {string} remedy a command
 */
export function reportMissing(what, reason, remedy) {
  const required = process.env.CI === 'true';
  console.error(
    [
      '',
      `*** ${what} not found: ${reason}.`,
      required
        ? '*** With CI=true that is a failure.'
        : '*** TESTS THAT SPEAK TO IT WILL BE SKIPPED.',
      `*** To install: ${remedy}`,
      '',
    ].join('\n'),
  );
  if (required) process.exit(1);
}
