import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseReference, type Reference } from '@plinth/attest';
import { PlinthError } from '@plinth/base';
import { hex, sha256 } from '@plinth/formats';
import { exists } from '@plinth/host';
import { verifyDetached } from '@plinth/trust';
import { REPOSITORY, SUMS_FILE, SUMS_SIGNATURE_FILE } from '@plinth/updates';
import { findManifest } from '../read-release.ts';
import { parseSums } from '../sums.ts';
import type { TrustAnchors } from './check.ts';
import { readPaper } from './check-files.ts';

const SUFFIX = '.reference.json';

/** Where the reference values of one release lie, and the checksums that vouch for them. */
interface Place {
  readonly reference: string;
  readonly sums: string;
  readonly signature: string;
}

/**
 * readReferences reads the reference values of a release folder, or of every release in a repository's folder. Checksums must
 * be signed by a release certificate that is trusted, for who may change them decides what counts as sound.
 * @throws release/not-found, trust/signature-invalid, attest/no-reference, attest/reference-invalid, host/io
 */
export async function readReferences(folder: string, anchors: TrustAnchors): Promise<readonly Reference[]> {
  const targets = join(folder, REPOSITORY.targets);
  const places = (await exists(targets)) ? await placesIn(targets) : [await placeOf(folder)];
  return Promise.all(places.map((place) => readReference(place, anchors)));
}

async function placeOf(folder: string): Promise<Place> {
  const reference = (await findManifest(folder)).replace(/\.manifest\.json$/, SUFFIX);
  return {
    reference: join(folder, reference),
    sums: join(folder, SUMS_FILE),
    signature: join(folder, SUMS_SIGNATURE_FILE),
  };
}

/** In a repository the files of all releases lie side by side. */
async function placesIn(targets: string): Promise<readonly Place[]> {
  const names = (await readdir(targets)).filter((name) => name.endsWith(SUFFIX));
  if (names.length === 0) {
    throw new PlinthError(
      'attest/no-reference',
      `Cannot judge by ${targets}: no release there has reference values`,
    );
  }
  return names.map((name) => {
    const prefix = join(targets, name.slice(0, -SUFFIX.length));
    return {
      reference: join(targets, name),
      ...{ sums: `${prefix}.${SUMS_FILE}`, signature: `${prefix}.${SUMS_SIGNATURE_FILE}` },
    };
  });
}

async function readReference(place: Place, anchors: TrustAnchors): Promise<Reference> {
  const read = (path: string) => readPaper(dirname(path), basename(path));
  const [sums, signature] = [await read(place.sums), await read(place.signature)];
  const verdict = verifyDetached(sums, signature, anchors.certificates('release'));
  if (verdict.verdict !== 'pass') {
    throw new PlinthError(
      'trust/signature-invalid',
      `Cannot trust ${place.reference}: ${verdict.reason}, expected checksums signed by a trusted key`,
    );
  }
  const name = basename(place.reference);
  const digest = parseSums(Buffer.from(sums).toString('utf8')).get(name);
  if (digest === undefined) {
    throw new PlinthError('attest/no-reference', `Cannot judge by the release: it has no ${name}`);
  }
  const bytes = await read(place.reference);
  if (hex(sha256(bytes)) !== digest) {
    throw new PlinthError(
      'attest/reference-invalid',
      `Cannot read ${name}: it is not the file that was signed`,
    );
  }
  return parseReference(Buffer.from(bytes).toString('utf8'), name);
}
