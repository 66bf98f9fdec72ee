import { type CheckSpec, type Finding, fail, pass, unknown } from '../checks/check.ts';
import { parseMountInfo, visibleMounts } from '../kernel/mountinfo.ts';
import { parseVerityStatus, parseVerityTable } from '../kernel/verity-table.ts';
import { listDir, readText, type Sys } from '../sys/sys.ts';
import { dmsetup, HOST_MOUNTS, observeRoot } from './root-checks.ts';

const BLOCK_DEVICES = '/sys/class/block';

/**
 * layerCheck: what lies over /usr comes from devices whose root hash the kernel found signed. systemd-sysext opens a
 * layer as a dm-verity device of its own, so every such device beside the root is looked at.
 */
export const layerCheck: CheckSpec = {
  id: 'layer-signature',
  expected: 'no layer over /usr, or one whose signature the kernel checked',
  source: `${HOST_MOUNTS}, ${BLOCK_DEVICES}, dmsetup`,
  fix: 'Reboot; then choose a layer of the release again. Replace the drive when a corrupted block was read.',
  observe: observeLayer,
};

/** hasLayer tells whether systemd-sysext has put its overlay over /usr. */
export async function hasLayer(sys: Sys): Promise<boolean> {
  const mounts = parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8'));
  return visibleMounts(mounts).some(
    ({ target, fileSystem }) => target === '/usr' && fileSystem === 'overlay',
  );
}

async function observeLayer(sys: Sys): Promise<Finding> {
  if (!(await hasLayer(sys))) return pass('no layer is merged');
  const root = (await observeRoot(sys)).name;
  const names = (await mappedDevices(sys)).filter((name) => name !== root);
  const seen: string[] = [];
  for (const name of names) {
    const table = parseVerityTable(await dmsetup(sys, 'table', name));
    // A device of another kind holds no layer: the image policy of systemd-sysext.service asks for a signed one.
    if (!table) continue;
    if (table.signatureKey === undefined) return fail(`${table.rootHash}: no signature`);
    const status = parseVerityStatus(await dmsetup(sys, 'status', name));
    if (status === undefined) return unknown(`${table.rootHash}: dmsetup gives no status`);
    if (status === 'corrupted') return fail(`${table.rootHash}: a corrupted block was read`);
    seen.push(table.rootHash);
  }
  return seen.length === 0
    ? fail('a layer is merged, and no dm-verity device holds one')
    : pass(seen.join(', '));
}

/**
 * layerRootHashes gives the root hashes of the signed volumes beside the root while layers are merged, sorted: what the
 * merged layers are, by the kernel's word. Throws when the kernel does not tell.
 */
export async function layerRootHashes(sys: Sys): Promise<string[]> {
  if (!(await hasLayer(sys))) return [];
  const root = (await observeRoot(sys)).name;
  const names = (await mappedDevices(sys)).filter((name) => name !== root);
  const tables = await Promise.all(
    names.map(async (name) => parseVerityTable(await dmsetup(sys, 'table', name))),
  );
  const signed = tables.flatMap((table) => (table?.signatureKey === undefined ? [] : [table.rootHash]));
  return [...new Set(signed)].sort();
}

async function mappedDevices(sys: Sys): Promise<string[]> {
  const devices = (await listDir(sys, BLOCK_DEVICES)).filter((name) => /^dm-\d+$/.test(name));
  const names = await Promise.all(devices.map((device) => nameOf(sys, device)));
  return names.filter((name) => name !== undefined);
}

/**
 * signedDevices gives what code of signed volumes is mapped from, as "major:minor": dm-verity devices whose root hash the
 * kernel found signed, and the overlay of layers over /usr, to which nobody can write.
 */
export async function signedDevices(sys: Sys): Promise<readonly string[]> {
  const found: string[] = [];
  const devices = (await listDir(sys, BLOCK_DEVICES)).filter((name) => /^dm-\d+$/.test(name));
  for (const device of devices) {
    const name = await nameOf(sys, device);
    const table = name === undefined ? undefined : parseVerityTable(await dmsetup(sys, 'table', name));
    const number = table?.signatureKey && (await readText(sys, `${BLOCK_DEVICES}/${device}/dev`));
    if (number) found.push(number);
  }
  const mounts = visibleMounts(parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8')));
  const usr = mounts.find(({ target, fileSystem }) => target === '/usr' && fileSystem === 'overlay');
  if (usr && !usr.superOptions.some((option) => option.startsWith('upperdir='))) found.push(usr.device);
  return found;
}

/** A device that is being removed is still in the list and answers EINVAL (drivers/md/dm-sysfs.c, dm_attr_show): it is gone. */
async function nameOf(sys: Sys, device: string): Promise<string | undefined> {
  try {
    return await readText(sys, `${BLOCK_DEVICES}/${device}/dm/name`);
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 'EINVAL') return undefined;
    throw reason;
  }
}
