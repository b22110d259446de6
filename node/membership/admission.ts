import type { cluster } from '../../protos/index.ts';
import type { Clock } from '../env.ts';
import type { NodeErrorCode } from '../errors.ts';
import { addNode, editNodeTable, type NodeRow, type Replaced } from '../settings/nodes.ts';
import { EMPTY_SETTINGS, type SettingsProblem } from '../settings/settings.ts';
import { nodeRowFromProto, settingsToProto } from '../settings/settings-codec.ts';
import type { SettingsService } from '../settings/settings-service.ts';
import { encodeGenesis, type Genesis } from './genesis.ts';

const CODES: Readonly<Record<SettingsProblem['kind'], NodeErrorCode>> = {
  'name-taken': 'NAME_TAKEN',
  'node-removed': 'NODE_REMOVED',
  'too-many-nodes': 'TOO_MANY_NODES',
  'not-found': 'CONFIG_INVALID',
  'last-node': 'CONFIG_INVALID',
  'over-limit': 'CONFIG_INVALID',
};

/** The side of a member that is asked to let a node in: that is a change of the node table, decided by meta. */
export class Admission {
  readonly #genesis: Genesis;
  readonly #settings: Pick<SettingsService, 'change'>;
  readonly #clock: Clock;
  readonly #isDispensable: (node: string) => boolean;

  constructor(options: {
    readonly genesis: Genesis;
    readonly settings: Pick<SettingsService, 'change'>;
    readonly clock: Clock;
    /** Whether all data is elsewhere, too, as far as is known here. */
    readonly isDispensable: (node: string) => boolean;
  }) {
    this.#genesis = options.genesis;
    this.#settings = options.settings;
    this.#clock = options.clock;
    this.#isDispensable = options.isDispensable;
  }

  /** Without a code the answer means: ask again. */
  async admit(request: cluster.JoinRequest.$Properties): Promise<cluster.JoinReply.$Properties> {
    // Who begins anew removes what it had: that may be wrong in parts, and still be all there is.
    const { replaceNode } = request;
    if (replaceNode && !this.#isDispensable(replaceNode)) return { accepted: false };
    const asked = nodeRowFromProto(request.row ?? {});
    const row: NodeRow = { ...asked, state: 'joining', sinceMs: this.#clock.nowMs() };
    const edit = editNodeTable(this.#genesis, (settings) =>
      addNode(settings, row, replacedBy(request)),
    );
    const outcome = await this.#settings.change(edit);
    if (outcome.kind === 'refused') {
      const { kind, message } = outcome.problem;
      return { refusalCode: CODES[kind], refusal: `${message}.`.replace(/\.\.$/, '.') };
    }
    if (outcome.kind !== 'settled') return { accepted: false };
    const { nodes, revision } = outcome.settings;
    const settings = settingsToProto({ ...EMPTY_SETTINGS, revision, nodes });
    return { accepted: true, genesis: encodeGenesis(this.#genesis), settings };
  }
}

function replacedBy(request: cluster.JoinRequest.$Properties): Replaced | undefined {
  if (request.replaceNode) return { node: request.replaceNode };
  return request.replace ? { name: request.replace } : undefined;
}
