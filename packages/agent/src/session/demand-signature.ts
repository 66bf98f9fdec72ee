import { PlinthError } from '@plinth/base';
import type { SignatureSource } from '../containers/signatures/fetch-signatures.ts';
import { judgeSignatures } from '../containers/signatures/judge-signatures.ts';

/**
 * demandSignature refuses an image that none of the keys has signed. What could not be asked is refused too.
 * @param signers public keys, PEM
 * @throws session/image-unsigned, containers/runtime-unreachable, containers/failed, containers/image-invalid
 */
export async function demandSignature(
  signatures: Pick<SignatureSource, 'of'>,
  image: string,
  signers: readonly string[],
): Promise<void> {
  const digest = image.slice(image.indexOf('@') + 1);
  const problem = judgeSignatures(await signatures.of(image), digest, signers);
  if (problem !== undefined)
    throw new PlinthError(
      'session/image-unsigned',
      `Cannot open a session with ${image}: ${problem}, expected a signature of it by one of them`,
    );
}
