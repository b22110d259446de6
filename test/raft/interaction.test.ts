import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { testTranscripts } from './datadriven.ts';
import { Interaction } from './interaction.ts';

describe('transcripts', () => {
  testTranscripts(fileURLToPath(new URL('testdata', import.meta.url)), () => {
    const interaction = new Interaction();
    return (command) => interaction.handle(command);
  });
});
