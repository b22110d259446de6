import { dirname } from 'node:path';
import { OsVfs } from '../../lsm/vfs/os.ts';
import type { NodeOptions } from '../config/config.ts';
import { NodeError } from '../errors.ts';
import { ClusterRecord } from '../membership/cluster-record.ts';
import { readGenesis } from '../membership/genesis.ts';
import { encodeToken, type JoinToken } from '../membership/token.ts';
import { readKeptSecret } from './kept-secret.ts';

const ADDRESSES_MAX = 5;

/**
 * What lets others into the cluster of the node with this data directory, which may be running: the token, and what is in
 * it. @throws {NodeError} CONFIG_INVALID, when the secret is not to be found
 */
export async function readJoinToken(
  options: Pick<NodeOptions, 'data' | 'secret'>,
): Promise<JoinToken & { readonly token: string }> {
  const { data } = options;
  // `dss up` keeps one secret for all its nodes beside their directories.
  const secret = options.secret || readKeptSecret(dirname(data));
  if (secret === undefined || secret === '') {
    throw new NodeError(
      'CONFIG_INVALID',
      `the cluster secret is not to be found: name the data directory of a node with --data (now ${data}), and the secret as that node gets it, with --secret-file, --config or DSS_SECRET.`,
    );
  }
  const vfs = new OsVfs();
  const record = await ClusterRecord.open(vfs, data, { emit: () => {} });
  const genesis = await readGenesis(vfs, data);
  if (genesis !== undefined) record.useGenesis(genesis);
  const addresses = record.liveRows.map(({ mqttAddress }) => mqttAddress).slice(0, ADDRESSES_MAX);
  const content = { clusterId: record.clusterId ?? '', secret, addresses };
  return { ...content, token: encodeToken(content) };
}
