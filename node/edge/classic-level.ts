import { ClassicLevelEngine } from '../../lsm/classic-level/classic-level-engine.ts';
import type { EngineChoice } from '../engine-choice.ts';

/** LevelDB goes to the disk itself, in threads of its own. */
export const CLASSIC_LEVEL_ENGINE: EngineChoice = {
  name: 'classic-level',
  open: (options) => ClassicLevelEngine.open(options),
};
