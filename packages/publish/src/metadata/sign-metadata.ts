import { PlinthError } from '@plinth/base';
import type { UpdateKey, UpdateRole, UpdateSigner } from '@plinth/trust';
import {
  type Key,
  Metadata,
  type Root,
  Signature,
  type Snapshot,
  type Targets,
  type Timestamp,
} from '@tufjs/models';

/** The document in each of the four forms of TUF. */
export type SignedDocument = Root | Snapshot | Targets | Timestamp;

/**
 * signMetadata signs a document by every signer given and gives the bytes of its file: the same document and signers
 * always give the same bytes. Retired keys do not count, and sign for those who do not know of their end yet.
 * @param threshold how many must sign for it to be believed
 * @throws publish/keys-missing
 */
export function signMetadata(
  role: UpdateRole,
  signed: SignedDocument,
  signers: readonly UpdateSigner[],
  threshold: number,
): Uint8Array {
  requireEnough(role, inForce(signers), threshold);
  const metadata = new Metadata(signed);
  for (const signer of signers) addSignature(metadata, signer);
  return formatMetadata(metadata);
}

/** addSignature adds one signature to a document that may have others. */
function addSignature(metadata: Metadata<SignedDocument>, { key, sign }: UpdateSigner): void {
  metadata.sign((data) => new Signature({ keyID: key.keyId, sig: Buffer.from(sign(data)).toString('hex') }));
}

/** formatMetadata gives a signed document as the bytes of its file. */
function formatMetadata(metadata: Metadata<SignedDocument>): Uint8Array {
  return Buffer.from(`${JSON.stringify(metadata.toJSON())}\n`);
}

/** inForce counts the signers whose keys are not retired. */
export function inForce(signers: readonly UpdateSigner[]): number {
  return signers.filter(({ key }) => key.retired === undefined).length;
}

/** @throws publish/keys-missing when fewer keys than the threshold are at hand */
export function requireEnough(role: UpdateRole, have: number, threshold: number): void {
  if (have >= threshold) return;
  throw new PlinthError(
    'publish/keys-missing',
    `Cannot sign ${role}: ${have} of its private keys ${have === 1 ? 'is' : 'are'} in the key folder, expected ${threshold}`,
    {
      hint: `Bring the ${role} keys into the folder "updates" of your keys while you sign, or name their folders in $PLINTH_UPDATE_KEYS; replace a lost one with "plinth release rotate-keys ${role}".`,
    },
  );
}

/** A key as TUF metadata name it. */
export function keyDocument({ publicKey }: UpdateKey): ReturnType<Key['toJSON']> {
  return { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: publicKey } };
}
