import { writeFileAtomic } from '@plinth/host';
import { signDsse } from '@plinth/trust';
import type { KeyFolderOptions } from '../flows/key-folder.ts';
import { openKeys } from '../flows/open-keys.ts';
import type { CommandContext } from '../framework/context.ts';
import type { Posture } from './judge-node.ts';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
/** What the predicate of such a statement is. */
const PREDICATE_TYPE = 'https://plinth.dev/posture/v1';

/**
 * signPostures writes an in-toto statement about the nodes in a DSSE envelope, signed by the release key. Its subjects are the
 * root file systems that the nodes run, by their root hashes.
 * @throws trust/…, host/io, host/disk-full
 */
export async function signPostures(
  path: string,
  postures: readonly Posture[],
  options: Pick<KeyFolderOptions, 'keys'>,
  context: CommandContext,
): Promise<void> {
  const keys = await openKeys({ keys: options.keys, passphraseFile: undefined }, context);
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: postures.map(({ nodeName, rootHash }) => ({ name: nodeName, digest: { sha256: rootHash } })),
    predicateType: PREDICATE_TYPE,
    predicate: { nodes: postures },
  };
  const payload = new TextEncoder().encode(JSON.stringify(statement));
  const envelope = await signDsse(keys.signers.release, PAYLOAD_TYPE, payload);
  await writeFileAtomic(path, `${JSON.stringify(envelope)}\n`);
}
