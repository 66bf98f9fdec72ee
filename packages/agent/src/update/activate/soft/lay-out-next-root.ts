import { mkdir, writeFile } from 'node:fs/promises';
import { messageOf, PlinthError } from '@plinth/base';
import type { SlotDisk } from '@plinth/updates';
import { parseSignature } from '../../../integrity/slot-signature.ts';
import type { Units } from '../../../kubernetes/units/run-unit.ts';
import { readSlotPair } from '../../stage/read-slot-disk.ts';
import type { SlotMachine } from '../../stage/slot-machine.ts';

const LAY_OUT_UNIT = 'plinth-nextroot.service';
const DROP_UNIT = 'plinth-nextroot-drop.service';
const UNIT_MS = 3 * 60_000;
/** The JSON of a signature partition is about 3 KiB. */
const SIGNATURE_BYTES = 16 * 1024;

/** Below /run/plinth/nextroot: what plinth-nextroot.service is told. */
export const NEXT_ROOT_FOLDER = '/run/plinth/nextroot';

export interface NextRootParts {
  readonly machine: () => Promise<SlotMachine>;
  readonly units: Pick<Units, 'run'>;
  /** Writes a file of NEXT_ROOT_FOLDER; default: for real. */
  readonly write?: (name: string, bytes: Uint8Array) => Promise<void>;
}

/**
 * layOutNextRoot opens the root of the version in the other slot and lays it out at /run/nextroot. plinthd names the slot; a unit of
 * the image does it, and the kernel checks the signature of the root hash as it does in a start by the firmware. What was begun is taken
 * back when it fails.
 * @throws update/soft-reboot-failed
 */
export async function layOutNextRoot(parts: NextRootParts, disk: SlotDisk, version: string): Promise<void> {
  const { units, write = writeNextRootFile } = parts;
  // What an earlier try left when plinthd was killed.
  await dropNextRoot(parts);
  try {
    const slot = disk.slots.find(({ name }) => name !== disk.booted.slot);
    if (!slot || slot.version !== version) throw new Error(`the other slot holds "${slot?.version ?? ''}"`);
    const machine = await parts.machine();
    const pair = await readSlotPair(machine);
    const partitions = pair.find(({ name }) => name === slot.name);
    if (!partitions) throw new Error(`there is no slot ${slot.name}`);
    const signature = await readSignature(machine, partitions.signature.number);
    if (signature?.rootHash !== slot.rootHash)
      throw new Error('its signature partition holds none of its root hash');
    await write('root.p7s', Buffer.from(signature.signature, 'base64'));
    await write(
      'slot.env',
      Buffer.from(
        [
          `DATA=${machine.partitionPath(partitions.root.number)}`,
          `TREE=${machine.partitionPath(partitions.verity.number)}`,
          `ROOT_HASH=${slot.rootHash}`,
          '',
        ].join('\n'),
      ),
    );
    await units.run('start', LAY_OUT_UNIT, { timeoutMs: UNIT_MS });
  } catch (reason) {
    await dropNextRoot(parts);
    const text = `Cannot lay out the root of ${version}: ${messageOf(reason)}`;
    throw new PlinthError('update/soft-reboot-failed', text, { cause: reason });
  }
}

/** dropNextRoot takes a next root back that is not gone to. Never throws: a reboot takes it along. */
export async function dropNextRoot({ units }: Pick<NextRootParts, 'units'>): Promise<void> {
  await units.run('start', DROP_UNIT, { timeoutMs: UNIT_MS }).catch(() => {});
}

async function readSignature(machine: SlotMachine, number: number) {
  const partition = await machine.openPartition(number, false);
  try {
    const bytes = await partition.read(0, Math.min(SIGNATURE_BYTES, partition.sizeBytes));
    return parseSignature(Buffer.from(bytes));
  } finally {
    await partition.close();
  }
}

async function writeNextRootFile(name: string, bytes: Uint8Array): Promise<void> {
  await mkdir(NEXT_ROOT_FOLDER, { recursive: true });
  await writeFile(`${NEXT_ROOT_FOLDER}/${name}`, bytes, { mode: 0o600 });
}
