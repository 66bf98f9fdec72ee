import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signDetached } from '@plinth/trust';
import type { BootLab } from './boot-lab.ts';

/**
 * writeSignedReference writes the part of a release folder that attestation reads: reference values, and checksums signed by
 * the lab's release key. Gives the folder.
 */
export async function writeSignedReference(lab: BootLab, name: string, reference: string): Promise<string> {
  const folder = join(lab.scratch, 'references', name);
  const prefix = `plinth_${lab.release.version}_x86-64`;
  const files = { [`${prefix}.manifest.json`]: '{}\n', [`${prefix}.reference.json`]: reference };
  const sums = Object.entries(files)
    .map(([file, text]) => `${createHash('sha256').update(text).digest('hex')}  ${file}\n`)
    .join('');
  await mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries({ ...files, SHA256SUMS: sums })) {
    await writeFile(join(folder, file), text);
  }
  const signature = await signDetached(lab.keys.signers.release, Buffer.from(sums));
  await writeFile(join(folder, 'SHA256SUMS.p7s'), signature);
  return folder;
}
