import type { Item } from './values.ts';

/** What a watch tells. */
export type Change =
  /** The key has this value now. `snapshot`: it was there when the watch began, or went on; in no promised order. */
  | {
      readonly type: 'value';
      readonly key: string;
      readonly item: Item;
      readonly snapshot: boolean;
    }
  /**
   * The key has no value any more. `version` and `time` are those of the delete; undefined if it happened while there
   * was no connection, where nobody knows more than that the value is gone.
   */
  | {
      readonly type: 'deleted';
      readonly key: string;
      readonly version: number | undefined;
      readonly time: number | undefined;
    }
  /**
   * Everything that was there when the watch began was told. Comes again after each further connection, when what
   * was missed meanwhile has been told.
   */
  | { readonly type: 'snapshot-complete' };
