import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatReference, makeReference, parseReference, type Reference } from '@plinth/attest';
import { ioError, isErrno, writeFileAtomic } from '@plinth/host';
import { BOOT_FILES, type BuiltImage, secureBootKeys } from '@plinth/image';
import { listMachines, type MachineStatus, machineFolder } from '@plinth/local';
import type { KeyRing } from '@plinth/trust';

/** Beside the record of a machine: what the image that it was made from measures when it boots. */
const FILE = 'reference.json';

/** imageReference computes the reference values of a built image, as a release of it would have them. @throws host/io */
export async function imageReference(
  { spec, version, rootHash, bootDir }: BuiltImage,
  keys: KeyRing,
): Promise<string> {
  const loader = await readFile(join(bootDir, BOOT_FILES.loader));
  const uki = await readFile(join(bootDir, BOOT_FILES.uki));
  const secureBoot = secureBootKeys(keys);
  return formatReference(makeReference({ name: spec.name, version, rootHash, loader, uki, secureBoot }));
}

/**
 * keepMachineReference keeps the reference values of the image that a machine of this computer was made from, so that it can
 * be judged without a release. A machine that kept another image keeps what it has. @throws host/io
 */
export async function keepMachineReference(
  { name, record }: Pick<MachineStatus, 'name' | 'record'>,
  image: BuiltImage,
  keys: KeyRing,
): Promise<void> {
  if (record.base.path !== image.diskPath) return;
  await writeFileAtomic(join(machineFolder(name), FILE), await imageReference(image, keys), 0o600);
}

/**
 * readMachineReference is what keepMachineReference kept of the machine of that name; undefined where there is none.
 * @throws attest/reference-invalid, vm/bad-record, host/io
 */
export async function readMachineReference(name: string): Promise<Reference | undefined> {
  if (!(await listMachines()).some((machine) => machine.name === name)) return undefined;
  const path = join(machineFolder(name), FILE);
  const text = await readFile(path, 'utf8').catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT')) return undefined;
    throw ioError(reason, `read ${path}`);
  });
  return text === undefined ? undefined : parseReference(text, path);
}
