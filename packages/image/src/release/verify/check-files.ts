import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists, hashFile, ioError, mapParallel } from '@plinth/host';
import { parseDsse, verifyDetached, verifyDsse } from '@plinth/trust';
import type { Manifest } from '@plinth/updates';
import { SUMS_FILE, SUMS_SIGNATURE_FILE } from '@plinth/updates';
import { PROVENANCE_PAYLOAD_TYPE, readSubjects } from '../provenance.ts';
import { fail, type Outcome, ofSignature, pass, type TrustAnchors } from './check.ts';

/** Papers and signatures are small; only images are large, and those are streamed. */
const PAPER_LIMIT_BYTES = 64 * 2 ** 20;

/** checkSumsSignature judges SHA256SUMS.p7s over SHA256SUMS. */
export async function checkSumsSignature(folder: string, anchors: TrustAnchors): Promise<Outcome> {
  for (const name of [SUMS_FILE, SUMS_SIGNATURE_FILE]) {
    if (!(await exists(join(folder, name)))) return fail(`${name} is not there`);
  }
  const sums = await readPaper(folder, SUMS_FILE);
  const signature = await readPaper(folder, SUMS_SIGNATURE_FILE);
  return ofSignature(verifyDetached(sums, signature, anchors.certificates('release')), SUMS_FILE);
}

/** checkSums compares every listed file with its digest. */
export async function checkSums(folder: string, sums: ReadonlyMap<string, string>): Promise<Outcome> {
  const problems = await mapParallel([...sums], 2, async ([name, expected]) => {
    const path = join(folder, name);
    if (!(await exists(path))) return `${name} is not there`;
    const { sha256 } = await hashFile(path);
    return sha256 === expected ? undefined : `${name} has another digest than ${SUMS_FILE} says`;
  });
  const found = problems.filter((problem) => problem !== undefined);
  return found.length > 0 ? fail(found.join('; ')) : pass(`${sums.size} files are what they should be`);
}

/** checkManifest compares the manifest's list with the checksums: each artefact in both, with one digest. */
export function checkManifest(manifest: Manifest, sums: ReadonlyMap<string, string>): Outcome {
  const differing = manifest.artefacts.filter(({ name, sha256 }) => sums.get(name) !== sha256);
  if (differing.length > 0) {
    return fail(`${differing.map(({ name }) => name).join(', ')}: other digests than in ${SUMS_FILE}`);
  }
  return pass(`${manifest.name} ${manifest.version}, root hash ${manifest.rootHash}`);
}

/** checkProvenance judges the envelope and compares its subjects with the checksums. */
export async function checkProvenance(
  folder: string,
  name: string,
  sums: ReadonlyMap<string, string>,
  anchors: TrustAnchors,
): Promise<Outcome> {
  if (!(await exists(join(folder, name)))) return fail(`${name} is not there`);
  const envelope = parseDsse(Buffer.from(await readPaper(folder, name)).toString('utf8'));
  if (envelope?.payloadType !== PROVENANCE_PAYLOAD_TYPE) return fail(`${name} is no in-toto envelope`);
  const subjects = readSubjects(Buffer.from(envelope.payload, 'base64').toString('utf8'));
  if (!subjects) return fail(`${name} is no SLSA provenance`);
  const missing = [...sums].filter(([file, digest]) => file !== name && subjects.get(file) !== digest);
  if (missing.length > 0) {
    return fail(`${name} does not vouch for ${missing.map(([file]) => file).join(', ')}`);
  }
  return ofSignature(verifyDsse(envelope, anchors.certificates('release')), 'the provenance');
}

/** readPaper reads a file of a release that is not an image. */
export async function readPaper(folder: string, name: string): Promise<Uint8Array> {
  const path = join(folder, name);
  const bytes = await readFile(path).catch((reason: unknown) => {
    throw ioError(reason, `read ${path}`);
  });
  return bytes.subarray(0, PAPER_LIMIT_BYTES);
}
