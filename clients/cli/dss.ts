#!/usr/bin/env node
import { runCommandLine } from './program.ts';

// `dss watch … | head -1` closes our output early; that is a reader who has seen enough, not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const exitCode = await runCommandLine(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
});
process.exitCode = exitCode;
// After a failure nothing that is still open (half of a node's ports, a dead connection) may hold us up.
if (exitCode !== 0) process.exit();
