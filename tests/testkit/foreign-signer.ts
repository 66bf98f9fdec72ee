import { initKeys, loadKeys, type Signer } from '@plinth/trust';

/** makeForeignSigner makes keys like those of the release, which no firmware of the tests trusts. */
export async function makeForeignSigner(folder: string): Promise<Signer> {
  await initKeys(folder, { organisation: 'A stranger' });
  return (await loadKeys(folder)).signers.boot;
}
