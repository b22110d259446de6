import { AbstractSnapshot } from 'abstract-level';
import type { Snapshot } from '../snapshot.ts';

/** A view of the database that stays as it is until it is closed. */
export class LevelSnapshot extends AbstractSnapshot {
  readonly view: Snapshot;

  constructor(view: Snapshot, options: object) {
    // @ts-expect-error: the constructor is private to users, not to databases.
    super(options);
    this.view = view;
  }

  async _close(): Promise<void> {
    this.view.close();
  }
}
