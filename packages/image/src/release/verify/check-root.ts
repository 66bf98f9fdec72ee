import { PlinthError } from '@plinth/base';
import { type CpioArchive, hexUuid, readCpio, verifyVerity } from '@plinth/formats';
import { verifyIpePolicy, verifyRootHashSignature } from '@plinth/trust';
import { SIGNED_POLICY_PATH } from '../../boot/ipe-loading.ts';
import { SIGNATURE_PATH } from '../../boot/root-opening.ts';
import { type FileReader, sliceReader } from '../disk/file-reader.ts';
import { fail, type Outcome, ofSignature, pass, type TrustAnchors, worstOf } from './check.ts';
import type { SlotImage, UkiImage } from './slot-images.ts';

/** checkVerity recomputes the hash tree of each slot; the partitions must carry its halves as UUIDs (UAPI.2). */
export async function checkVerity(disk: FileReader, images: readonly SlotImage[]): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const { slot, rootHash } of images) {
    if (rootHash === undefined) {
      outcomes.push(fail(`${slot.label}: its signature partition names no root hash`));
      continue;
    }
    const uuids = [hexUuid(rootHash.slice(0, 32)), hexUuid(rootHash.slice(32))];
    if (slot.root.uuid !== uuids[0] || slot.verity.uuid !== uuids[1]) {
      outcomes.push(fail(`${slot.label}: its partition UUIDs are not the halves of root hash ${rootHash}`));
      continue;
    }
    const hashDevice = await sliceReader(disk, slot.verity).read(0, slot.verity.sizeBytes);
    const verdict = await verifyVerity(sliceReader(disk, slot.root), hashDevice, rootHash);
    outcomes.push(
      verdict.verdict === 'pass'
        ? pass(`${slot.label}: ${verdict.header.dataBlocks} blocks match ${rootHash}`)
        : fail(`${slot.label}: ${verdict.reason}`),
    );
  }
  return worstOf(outcomes);
}

/**
 * checkRootHashSignatures judges what the kernel checks: the signature beside each slot, the one its UKI hands over, and that
 * of the UKI's policy of IPE, where it has one.
 */
export function checkRootHashSignatures(
  images: readonly SlotImage[],
  ukis: readonly UkiImage[],
  anchors: TrustAnchors,
): Outcome {
  const trusted = anchors.certificates('verity');
  return worstOf(
    images.flatMap(({ slot, rootHash, signature }) => {
      if (rootHash === undefined) return [fail(`${slot.label}: no root hash to check`)];
      const judge = (bytes: Uint8Array, what: string) =>
        ofSignature(verifyRootHashSignature(rootHash, bytes, trusted), what);
      const booting = ukis.filter(({ rootHashes }) => rootHashes.includes(rootHash));
      return [
        judge(signature, `the root hash of ${slot.label}`),
        ...booting.map(({ uki, path }) => {
          const carried = findCarried(uki.initrd ?? new Uint8Array(), SIGNATURE_PATH);
          return carried
            ? judge(carried, `the root hash of ${slot.label}`)
            : fail(`${path} carries no signature`);
        }),
        ...booting.flatMap(({ uki, path }) => {
          const policy = findCarried(uki.initrd ?? new Uint8Array(), SIGNED_POLICY_PATH);
          return policy
            ? [ofSignature(verifyIpePolicy(policy, trusted), `the policy of IPE in ${path}`)]
            : [];
        }),
      ];
    }),
  );
}

/** What is signed lies in a small uncompressed archive behind the compressed initrd. */
function findCarried(initrd: Uint8Array, name: string): Uint8Array | undefined {
  const bytes = Buffer.from(initrd.buffer, initrd.byteOffset, initrd.byteLength);
  for (let at = bytes.indexOf('070701'); at >= 0; at = bytes.indexOf('070701', at + 1)) {
    const archive = at % 4 === 0 ? tryReadCpio(bytes, at) : undefined;
    const entry = archive?.entries.find(({ path }) => path === name);
    if (entry?.kind === 'file') return entry.data;
  }
  return undefined;
}

function tryReadCpio(bytes: Uint8Array, offset: number): CpioArchive | undefined {
  try {
    return readCpio(bytes, offset);
  } catch (reason) {
    // The digits may stand in compressed data by chance.
    if (reason instanceof PlinthError) return undefined;
    throw reason;
  }
}
