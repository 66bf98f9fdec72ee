import { type CheckSpec, type Finding, fail, pass, passIf, unknown } from '../checks/check.ts';
import { parseCommandLine } from '../kernel/command-line.ts';
import { type MountInfo, mountHolding, parseMountInfo } from '../kernel/mountinfo.ts';
import {
  parseVerityStatus,
  parseVerityTable,
  type VerityStatus,
  type VerityTable,
} from '../kernel/verity-table.ts';
import { NEXT_ROOT_DEVICE } from '../reports/system-start.ts';
import { readText, type Sys } from '../sys/sys.ts';

/** Mounts as PID 1 sees them: those of the host, wherever plinthd itself runs. */
export const HOST_MOUNTS = '/proc/1/mountinfo';
export const DMSETUP = '/usr/sbin/dmsetup';
const REQUIRE_SIGNATURES = '/sys/module/dm_verity/parameters/require_signatures';
const REBUILD = 'Boot the signed image again; if it stays, install the node anew.';

/** What is behind "/". */
export interface RootDevice {
  readonly mount: MountInfo;
  /** Name of the device-mapper device; undefined when "/" is not on one. */
  readonly name: string | undefined;
  readonly table: VerityTable | undefined;
  readonly status: VerityStatus | undefined;
}

/** observeRoot follows "/" to its device and asks the device mapper what it is. Throws when the kernel does not tell. */
export async function observeRoot(sys: Sys): Promise<RootDevice> {
  const mounts = parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8'));
  const mount = mountHolding(mounts, '/');
  if (!mount) throw new Error(`${HOST_MOUNTS} has no mount at /`);
  const name = await readText(sys, `/sys/dev/block/${mount.device}/dm/name`);
  if (name === undefined) return { mount, name, table: undefined, status: undefined };
  return {
    mount,
    name,
    table: parseVerityTable(await dmsetup(sys, 'table', name)),
    status: parseVerityStatus(await dmsetup(sys, 'status', name)),
  };
}

/** dmsetup asks the device mapper about one device. */
export async function dmsetup(sys: Sys, command: 'table' | 'status', name: string): Promise<string> {
  const { exitCode, stdout, stderr } = await sys.run(DMSETUP, [command, name]);
  if (exitCode !== 0) throw new Error(`dmsetup ${command} ended with ${exitCode}: ${stderr.trim()}`);
  return stdout;
}

/** rootChecks judge the root file system. They share one observation; call it anew for each round of checks. */
export function rootChecks(): readonly CheckSpec[] {
  let observation: Promise<RootDevice> | undefined;
  const onRoot = (
    judge: (root: RootDevice, sys: Sys) => Finding | Promise<Finding>,
  ): CheckSpec['observe'] => {
    return async (sys) => {
      observation ??= observeRoot(sys);
      return judge(await observation, sys);
    };
  };
  return [
    {
      id: 'root-verity',
      expected: 'erofs on dm-verity',
      source: '/proc/1/mountinfo, /sys/dev/block',
      fix: REBUILD,
      observe: onRoot(judgeDevice),
    },
    {
      id: 'root-hash',
      expected:
        'the hash on the signed kernel command line, or one that the kernel found signed in a soft-reboot',
      source: 'dmsetup table, /proc/cmdline',
      fix: REBUILD,
      observe: onRoot(judgeHash),
    },
    {
      id: 'root-signature',
      expected: 'the kernel checked a signature of the root hash',
      source: 'dmsetup table',
      fix: 'Boot with Secure Boot on, so that the key of the release is in the platform keyring.',
      observe: onRoot(judgeSignature),
    },
    {
      id: 'root-corruption',
      expected: 'no corrupted block was read',
      source: 'dmsetup status',
      fix: 'Replace the disk or write the image anew; the other slot may still be sound.',
      critical: true,
      observe: onRoot(judgeCorruption),
    },
  ];
}

function judgeDevice({ mount, name, table }: RootDevice): Finding {
  if (name === undefined) return fail(`${mount.fileSystem} on ${mount.source}, which is not a mapped device`);
  if (!table) return fail(`${mount.fileSystem} on ${name}, which is not one dm-verity target`);
  return passIf(mount.fileSystem === 'erofs', `${mount.fileSystem} on dm-verity ${name}`);
}

async function judgeHash({ name, table }: RootDevice, sys: Sys): Promise<Finding> {
  if (!table) return fail('the root is not on dm-verity');
  const expected = parseCommandLine((await sys.readFile('/proc/cmdline')).toString('utf8')).get('roothash');
  if (expected === undefined) return fail(`${table.rootHash}, and the kernel command line names none`);
  if (table.rootHash !== expected.toLowerCase() && name === NEXT_ROOT_DEVICE)
    // The command line is of the version before. What vouches for this one is its signature, which the kernel demands for each table.
    return passIf(
      table.signatureKey !== undefined,
      `${table.rootHash}, gone to by soft-reboot ${
        table.signatureKey === undefined
          ? 'and signed by nobody'
          : `and signed by key "${table.signatureKey}"`
      }; the firmware started ${expected}`,
    );
  return passIf(
    table.rootHash === expected.toLowerCase(),
    table.rootHash === expected.toLowerCase()
      ? table.rootHash
      : `${table.rootHash}, command line ${expected}`,
  );
}

/**
 * A table is loaded with a signature only if the kernel found it good: verity_verify_root_hash() fails the load
 * otherwise. So the key's presence in the table is the kernel's own word (Linux drivers/md/dm-verity-verify-sig.c).
 */
async function judgeSignature({ table }: RootDevice, sys: Sys): Promise<Finding> {
  if (!table) return fail('the root is not on dm-verity');
  const required = (await readText(sys, REQUIRE_SIGNATURES)) === 'Y';
  const demand = required ? 'demanded of every dm-verity device' : 'not demanded of other devices';
  if (table.signatureKey === undefined) return fail(`no signature; signatures are ${demand}`);
  return pass(`checked with key "${table.signatureKey}"; signatures are ${demand}`);
}

function judgeCorruption({ table, status }: RootDevice): Finding {
  if (!table) return fail('the root is not on dm-verity, so nothing would notice');
  if (table.options.includes('ignore_corruption')) return fail('corruption is ignored');
  if (status === undefined) return unknown('dmsetup gives no status');
  return passIf(status === 'verified', status === 'verified' ? 'none seen' : 'a corrupted block was read');
}
