import { compareUapiVersions, messageOf } from '@plinth/base';
import {
  type BootedBy,
  decideStartWay,
  parseBootEntryName,
  parseStagedEntryName,
  type SlotDisk,
  type StartWay,
  versionState,
} from '@plinth/updates';
import { parseCommandLine } from '../../../kernel/command-line.ts';
import { EFI_GLOBAL, efiVariablePath, parseEfiByte } from '../../../kernel/efi-variable.ts';
import { readBytes, readText, type Sys } from '../../../sys/sys.ts';
import type { Esp } from '../../stage/esp.ts';
import { readBootedBy, startSetupOf } from './read-booted-by.ts';

const SECURE_BOOT = efiVariablePath('SecureBoot', EFI_GLOBAL);
/** The measured boot is of the version before, and so is the kernel's command line: what is left is the signature of the root hash. */
const NOBODY_VOUCHES = 'without Secure Boot the kernel checks no signature of another root';

/** Tells how a version in the other slot can be started. */
export interface StartWays {
  /** Never throws: what cannot be read needs a full reboot, and says so. */
  startWay(disk: SlotDisk, version: string): Promise<StartWay>;
}

export interface StartWaysParts {
  readonly sys: Pick<Sys, 'readFile'>;
  /** The folder of boot entries. */
  esp(): Promise<Pick<Esp, 'list' | 'read'>>;
}

/**
 * openStartWays compares the UKI of a version with the one that runs, and with what the kernel says of itself. To hash two kernels takes a
 * second or more without a compiler, so what a file came to is remembered while the file stays.
 */
export function openStartWays({ sys, esp }: StartWaysParts): StartWays {
  const known = new Map<string, BootedBy | undefined>();

  async function look(version: string, rootHash: string): Promise<BootedBy | undefined> {
    const folder = await esp();
    const of = (file: string) => parseBootEntryName(file)?.version ?? parseStagedEntryName(file);
    const file = (await folder.list()).find(({ name, sizeBytes }) => of(name) === version && sizeBytes > 0);
    if (!file) return undefined;
    // A rename gives it another name and the same content.
    const key = `${version} ${rootHash} ${file.sizeBytes}`;
    if (!known.has(key)) {
      if (known.size > 3) known.clear();
      known.set(key, await readBootedBy({ read: (at, length) => folder.read(file.name, at, length) }));
    }
    return known.get(key);
  }

  return {
    async startWay(disk, version) {
      try {
        const [own, other] = [disk.booted.slot, disk.slots.find(({ name }) => name !== disk.booted.slot)];
        const ownHash = disk.slots.find(({ name }) => name === own)?.rootHash ?? '';
        const [running, next, kernelRelease, commandLine, osRelease, secureBoot] = await Promise.all([
          look(disk.booted.version, ownHash),
          look(version, other?.rootHash ?? ''),
          readText(sys, '/proc/sys/kernel/osrelease'),
          readText(sys, '/proc/cmdline'),
          readText(sys, '/usr/lib/os-release'),
          readBytes(sys, SECURE_BOOT),
        ]);
        return decideStartWay({
          // The kernel's own word on what it is and was told; its image is looked up by the version.
          running: running && {
            ...running,
            version: disk.booted.version,
            kernelRelease: kernelRelease ?? '',
            commandLine: commandLine ?? '',
            startSetup: startSetupOf(osRelease ?? ''),
          },
          next: next && { ...next, version },
          newer: compareUapiVersions(version, disk.booted.version) > 0,
          obstacle: isOn(secureBoot) ? obstacleOf(disk, version, next) : NOBODY_VOUCHES,
        });
      } catch (reason) {
        return { way: 'reboot', reasons: [`what it needs cannot be told (${messageOf(reason)})`] };
      }
    },
  };
}

function isOn(variable: Buffer | undefined): boolean {
  return variable !== undefined && parseEfiByte(variable) === 1;
}

/** Why no version can be gone to by soft-reboot on this disk. Pure. */
function obstacleOf(disk: SlotDisk, version: string, next: BootedBy | undefined): string {
  const other = disk.slots.find(({ name }) => name !== disk.booted.slot);
  if (versionState(disk, disk.booted.version) !== 'proven')
    return `version ${disk.booted.version} runs on trial: the firmware has to start it first`;
  if (!other || other.version !== version) return `no slot holds ${version}`;
  const named = next && parseCommandLine(next.commandLine).get('roothash')?.toLowerCase();
  if (next && named !== other.rootHash) return 'its kernel image is for another root than its slot holds';
  return '';
}
