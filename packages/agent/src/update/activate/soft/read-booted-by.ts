import { createHash } from 'node:crypto';
import type { PeSection } from '@plinth/formats';
import type { BootedBy } from '@plinth/updates';
import { parseKeyValues } from '../../../kernel/key-values.ts';
import { readUkiHead, UKI_HEAD_BYTES } from '../../stage/whole-uki.ts';

const PIECE_BYTES = 512 * 1024;
/** Sections with text are a few kilobytes. */
const TEXT_LIMIT_BYTES = 64 * 1024;

/** A UKI on the ESP. */
export interface UkiBytes {
  read(offset: number, lengthBytes: number): Promise<Uint8Array>;
}

/** readBootedBy reads what a UKI makes of a machine, a piece at a time; undefined when it is none. Throws what `read` throws. */
export async function readBootedBy(uki: UkiBytes): Promise<BootedBy | undefined> {
  const head = readUkiHead(await uki.read(0, UKI_HEAD_BYTES));
  const section = (name: string) => head?.sections.find((each) => each.name === name);
  const linux = section('.linux');
  if (!linux) return undefined;
  const digest = async (found: PeSection | undefined) => (found ? await digestOf(uki, found) : '');
  const text = async (name: string) => textOf(uki, section(name));
  return {
    kernelSha256: await digest(linux),
    kernelRelease: await text('.uname'),
    microcodeSha256: await digest(section('.ucode')),
    deviceTreeSha256: await digest(section('.dtb')),
    commandLine: await text('.cmdline'),
    startSetup: startSetupOf(await text('.osrel')),
  };
}

/** startSetupOf takes PLINTH_START_SETUP from an os-release; "" where it has none. */
export function startSetupOf(osRelease: string): string {
  return parseKeyValues(osRelease).get('PLINTH_START_SETUP') ?? '';
}

async function digestOf(uki: UkiBytes, { fileOffset, virtualSizeBytes }: PeSection): Promise<string> {
  const hash = createHash('sha256');
  for (let done = 0; done < virtualSizeBytes; ) {
    const bytes = await uki.read(fileOffset + done, Math.min(PIECE_BYTES, virtualSizeBytes - done));
    // A file that is shorter than its headers say equals no other.
    if (bytes.length === 0) return `short at ${done}`;
    hash.update(bytes);
    done += bytes.length;
  }
  return hash.digest('hex');
}

async function textOf(uki: UkiBytes, section: PeSection | undefined): Promise<string> {
  if (!section) return '';
  const bytes = await uki.read(section.fileOffset, Math.min(section.virtualSizeBytes, TEXT_LIMIT_BYTES));
  return Buffer.from(bytes).toString('utf8').replace(/\0+$/, '').trim();
}
