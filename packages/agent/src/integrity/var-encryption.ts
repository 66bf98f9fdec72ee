import { type CheckSpec, type Finding, fail, pass, unknown } from '../checks/check.ts';
import { parseCommandLine } from '../kernel/command-line.ts';
import { parseCryptTable } from '../kernel/crypt-table.ts';
import { parseMountInfo, visibleMounts } from '../kernel/mountinfo.ts';
import { readText, type Sys } from '../sys/sys.ts';
import { dmsetup, HOST_MOUNTS } from './root-checks.ts';

/** Of images that encrypt a /var they make (os/plinth.yaml, storage); on the signed command line. */
const ASKED_FOR = 'plinth.encrypt_var';

/** varChecks are the checks of a node whose image encrypts /var; of others none is expected to be. */
export async function varChecks(sys: Sys): Promise<readonly CheckSpec[]> {
  const text = await readText(sys, '/proc/cmdline').catch(() => undefined);
  // A command line that cannot be read is no reason to ask for less.
  return text === undefined || parseCommandLine(text).has(ASKED_FOR) ? [varEncryptedCheck] : [];
}

/** varEncryptedCheck: what is mounted at /var lies on dm-crypt, by the kernel's word and by nobody's settings. */
const varEncryptedCheck: CheckSpec = {
  id: 'var-encrypted',
  expected: '/var on LUKS2, opened in the initrd',
  source: '/proc/1/mountinfo, dmsetup table',
  fix: 'A /var that is there is never encrypted in place. On a machine with a TPM 2.0 "plinth reset" makes it anew, encrypted.',
  observe: observeVarEncryption,
};

async function observeVarEncryption(sys: Sys): Promise<Finding> {
  const mounts = visibleMounts(parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8')));
  const mount = mounts.find(({ target }) => target === '/var');
  if (!mount) return unknown(`${HOST_MOUNTS} has no mount at /var`);
  if (mount.fileSystem === 'tmpfs') return fail('/var is in memory');
  const mapped = `/sys/dev/block/${mount.device}/dm`;
  const [name, uuid] = [await readText(sys, `${mapped}/name`), await readText(sys, `${mapped}/uuid`)];
  if (name === undefined) return fail(`${mount.fileSystem} on ${mount.source}, which is not a mapped device`);
  const table = parseCryptTable(await dmsetup(sys, 'table', name));
  if (!table) return fail(`${mount.fileSystem} on ${name}, which is not one dm-crypt target`);
  if (uuid === undefined || !uuid.startsWith('CRYPT-LUKS2-'))
    return fail(`dm-crypt ${name} is not of LUKS2: ${uuid ?? 'it has no id'}`);
  const key = table.keyBits === undefined ? '' : `, a key of ${table.keyBits} bits`;
  return pass(`LUKS2, ${table.cipher}${key}`);
}
