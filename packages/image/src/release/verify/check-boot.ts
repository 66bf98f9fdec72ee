import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import {
  type FatFiles,
  hex,
  pcrPolicyDigest,
  predictPcr4,
  predictPcr11,
  SEALING_PHASE,
  type Uki,
} from '@plinth/formats';
import { publicKeyId, verifyPe } from '@plinth/trust';
import type { Manifest } from '@plinth/updates';
import { parseJson } from '@plinth/updates';
import { z } from 'zod';
import { fail, type Outcome, ofSignature, pass, type TrustAnchors, unknown, worstOf } from './check.ts';
import type { SlotImage, UkiImage } from './slot-images.ts';

/** Where firmware and bootctl look for the boot loader. */
export const LOADER_PATHS = ['EFI/BOOT/BOOTX64.EFI', 'EFI/systemd/systemd-bootx64.efi'];

/** checkUkiSignatures judges every UKI on the ESP as firmware does. */
export function checkUkiSignatures(ukis: readonly UkiImage[], anchors: TrustAnchors): Outcome {
  if (ukis.length === 0) return fail('there is no UKI on the ESP');
  const trusted = anchors.certificates('boot');
  return worstOf(ukis.map(({ path, bytes }) => ofSignature(verifyPe(bytes, trusted), path)));
}

/** checkLoaderSignatures judges both copies of systemd-boot. */
export async function checkLoaderSignatures(esp: FatFiles, anchors: TrustAnchors): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const path of LOADER_PATHS) {
    const verdict = verifyPe(await esp.read(path), anchors.certificates('boot'));
    outcomes.push(ofSignature(verdict, path));
  }
  return worstOf(outcomes);
}

/** checkCommandLines wants each slot named by a UKI, and no UKI to name anything but a slot of this disk. */
export function checkCommandLines(images: readonly SlotImage[], ukis: readonly UkiImage[]): Outcome {
  const hashes = new Map(images.flatMap(({ rootHash, slot }) => (rootHash ? [[rootHash, slot.label]] : [])));
  for (const { path, rootHashes } of ukis) {
    const [rootHash] = rootHashes;
    if (rootHashes.length !== 1 || rootHash === undefined) {
      return fail(`${path} names ${rootHashes.length} root hashes, expected one`);
    }
    if (!hashes.has(rootHash))
      return fail(`${path} names root hash ${rootHash}, which is no slot of this disk`);
  }
  for (const [rootHash, label] of hashes) {
    if (!ukis.some(({ rootHashes }) => rootHashes.includes(rootHash))) return fail(`no UKI boots ${label}`);
  }
  return hashes.size === 0
    ? fail('no slot has a root hash')
    : pass('each UKI names the root hash of its slot');
}

const signaturesSchema = z.looseObject({
  sha256: z.array(z.looseObject({ pcrs: z.array(z.number()), pol: z.string(), sig: z.base64() })),
});

/**
 * checkPcrs recomputes what each UKI will measure, and judges the signatures in .pcrsig by the PCR key; given a
 * manifest, its predictions must be the recomputed ones.
 */
export async function checkPcrs(
  ukis: readonly UkiImage[],
  esp: FatFiles,
  anchors: TrustAnchors,
  manifest: Manifest | undefined,
): Promise<Outcome> {
  const outcomes: Outcome[] = ukis.map(({ path, uki }) => checkPcrSignatures(path, uki, anchors));
  const [first] = ukis;
  const [loaderPath = ''] = LOADER_PATHS;
  if (manifest && first) {
    const loader = await esp.read(loaderPath);
    const predicted: Manifest['pcrs'] = {
      pcr4: {
        secureBoot: hex(predictPcr4({ loader, uki: first.bytes, secureBoot: true })),
        noSecureBoot: hex(predictPcr4({ loader, uki: first.bytes, secureBoot: false })),
      },
      pcr11: Object.fromEntries(
        predictPcr11(first.uki.sections).map(({ phase, value }) => [phase, hex(value)]),
      ),
    };
    outcomes.push(comparePredictions(manifest.pcrs, predicted));
  }
  return outcomes.length === 0 ? fail('there is no UKI on the ESP') : worstOf(outcomes);
}

function checkPcrSignatures(path: string, uki: Uki, anchors: TrustAnchors): Outcome {
  const trusted = anchors.certificates('pcr');
  if (uki.pcrPublicKey === undefined || uki.pcrSignatures === undefined) {
    return fail(`${path} carries no PCR signatures`);
  }
  const parsed = signaturesSchema.safeParse(parseJson(uki.pcrSignatures));
  if (!parsed.success) return fail(`the .pcrsig of ${path} cannot be read`);
  if (trusted.length === 0)
    return unknown(`${path}: no certificate was given to check its PCR signatures against`);
  const publicKey = readPublicKey(uki.pcrPublicKey);
  if (!publicKey || !trusted.some(({ keyId }) => keyId === publicKeyId(publicKey))) {
    return fail(`the .pcrpkey of ${path} is a key that is not trusted`);
  }
  const signed = predictPcr11(uki.sections).flatMap(({ phase, value }) => {
    const policy = pcrPolicyDigest(11, value);
    const valid = parsed.data.sha256.some(
      ({ pol, sig }) =>
        pol === hex(policy) && verify('sha256', policy, publicKey, Buffer.from(sig, 'base64')),
    );
    return valid ? [phase] : [];
  });
  if (!signed.includes(SEALING_PHASE)) return fail(`${path}: the phase of the initrd has no valid signature`);
  // A signature for a later phase would give the running system what is sealed to the initrd.
  if (signed.length > 1)
    return fail(`${path}: phases after the initrd are signed: ${signed.slice(1).join(', ')}`);
  return pass('the phase of the initrd is signed, and no other');
}

function readPublicKey(pem: string): KeyObject | undefined {
  try {
    return createPublicKey(pem);
  } catch {
    // Not a key at all is as little trusted as a foreign one.
    return undefined;
  }
}

function comparePredictions(published: Manifest['pcrs'], predicted: Manifest['pcrs']): Outcome {
  for (const [pcr, values] of Object.entries(predicted)) {
    for (const [key, value] of Object.entries(values)) {
      if (published[pcr]?.[key] !== value) return fail(`the prediction of ${pcr} (${key}) is not ${value}`);
    }
  }
  return pass('predictions agree with what the boot files measure to');
}
