import { join } from 'node:path';
import { makeReference, parseReference, type Reference } from '@plinth/attest';
import type { FatFiles } from '@plinth/formats';
import { exists } from '@plinth/host';
import { releaseNames } from '@plinth/updates';
import { fail, type Outcome, pass } from './check.ts';
import { LOADER_PATHS } from './check-boot.ts';
import { readPaper } from './check-files.ts';
import type { UkiImage } from './slot-images.ts';
import type { ReleaseContext } from './verify-image.ts';

/** Of the keys in the firmware; who verifies a release does not have them all. */
const KEYS_PCR = 7;
const NO_KEYS = { pk: new Uint8Array(), kek: new Uint8Array(), db: new Uint8Array(), authorities: [] };

/**
 * checkReference recomputes what the boot files of a release measure and holds its reference values against it; undefined for
 * a release that has none.
 * @throws attest/reference-invalid, formats/…, host/io
 */
export async function checkReference(
  ukis: readonly UkiImage[],
  esp: FatFiles,
  { folder, manifest }: ReleaseContext,
): Promise<Outcome | undefined> {
  const { name, version, rootHash } = manifest;
  const file = releaseNames(name, version).reference;
  const [uki] = ukis;
  const [loaderPath = ''] = LOADER_PATHS;
  if (!uki || !(await exists(join(folder, file)))) return undefined;
  const published = parseReference(Buffer.from(await readPaper(folder, file)).toString('utf8'), file);
  const loader = await esp.read(loaderPath);
  const own = makeReference({ name, version, rootHash, loader, uki: uki.bytes, secureBoot: NO_KEYS });
  if (published.rootHash !== rootHash) return fail(`${file} is of root hash ${published.rootHash}`);
  for (const register of own.registers.filter(({ pcr }) => pcr !== KEYS_PCR)) {
    if (textOf(register) === textOf(published.registers.find(({ pcr }) => pcr === register.pcr))) continue;
    return fail(`${file} foresees other events of PCR ${register.pcr} than the boot files measure`);
  }
  return pass('reference values are what the boot files measure');
}

function textOf(register: Reference['registers'][number] | undefined): string {
  return JSON.stringify([register?.events, register?.phases]);
}
