import { type CheckSpec, type Finding, fail, passIf, unknown } from '../checks/check.ts';
import { collectSlots } from '../reports/slots.ts';
import { readSystemStart } from '../reports/system-start.ts';
import { readBytes } from '../sys/sys.ts';
import { observeRoot } from './root-checks.ts';

/** The signature that opened the root; the initrd keeps it here, because its own copy is gone with it. */
const USED_SIGNATURE = '/run/plinth/root.p7s';
/** The same after a soft-reboot. */
const NEXT_SIGNATURE = '/run/plinth/nextroot/root.p7s';

/** The content of a verity-sig partition (UAPI.2); more fields may come. */
interface StoredSignature {
  readonly rootHash: string;
  readonly signature: string;
}

/**
 * slotSignatureCheck compares the signature in the booted slot's partition with the one that opened the root. The boot itself
 * takes it from the signed UKI, so nothing else would notice that the partition rots, until a tool relies on it.
 */
export const slotSignatureCheck: CheckSpec = {
  id: 'slot-signature',
  expected: 'the signature in the booted slot is the one the root was opened with',
  source: '/dev (verity signature partition), /run/plinth/root.p7s',
  fix: 'Write the image anew; the running root is not affected.',
  async observe(sys) {
    const path = (await readSystemStart(sys)).soft ? NEXT_SIGNATURE : USED_SIGNATURE;
    const used = await readBytes(sys, path);
    if (!used) return unknown(`${path} is not there`);
    const { slots } = await collectSlots(sys);
    const partition = slots
      .find(({ booted }) => booted)
      ?.partitions.find(({ role }) => role === 'root-verity-signature');
    if (!partition) return fail('the booted slot has no signature partition');
    const { table } = await observeRoot(sys);
    return judge(await sys.readFile(`/dev/${partition.device}`), used, table?.rootHash ?? '');
  },
};

function judge(content: Buffer, used: Buffer, rootHash: string): Finding {
  const stored = parseSignature(content);
  if (!stored) return fail('the partition holds no signature');
  if (stored.rootHash !== rootHash)
    return fail(`it signs root hash ${stored.rootHash}, the root is ${rootHash}`);
  const same = Buffer.from(stored.signature, 'base64').equals(used);
  return passIf(same, same ? 'both are equal' : 'the partition holds another signature');
}

/** parseSignature reads the JSON of a verity-sig partition, which zeros follow; undefined when it is none. */
export function parseSignature(content: Buffer): StoredSignature | undefined {
  const end = content.indexOf(0);
  try {
    const value: unknown = JSON.parse(content.toString('utf8', 0, end < 0 ? content.length : end));
    if (value === null || typeof value !== 'object' || !('rootHash' in value) || !('signature' in value))
      return undefined;
    const { rootHash, signature } = value;
    return typeof rootHash === 'string' && typeof signature === 'string'
      ? { rootHash, signature }
      : undefined;
  } catch {
    return undefined; // Damaged JSON is what this check looks for.
  }
}
