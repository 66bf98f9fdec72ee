import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import { ARCHITECTURE } from './names.ts';
import { parseJson } from './parse-json.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits');
const fileName = z.string().regex(/^[^/\p{Cc}]+$/u, 'expected a plain file name');
const sizeBytes = z.int().min(0);

const artefact = z.strictObject({
  name: fileName,
  mediaType: z.string(),
  sizeBytes,
  sha256,
});

const partition = z.strictObject({
  number: z.int().positive(),
  label: z.string(),
  uuid: z.guid(),
  /** Name of the type in UAPI.2. */
  type: z.string(),
  offsetBytes: sizeBytes,
  sizeBytes,
  /** Of the whole partition; absent for one that is empty. */
  sha256: sha256.optional(),
  /** The split file and how many of the partition's first bytes it holds; what follows is not looked at on a node. */
  artefact: z.strictObject({ name: fileName, sizeBytes }).optional(),
});

const certificate = z.strictObject({
  role: z.enum(['boot', 'verity', 'pcr', 'release']),
  subject: z.string(),
  /** SHA-256 of the certificate in DER. */
  sha256,
  /** SHA-256 of its public key. */
  keyId: sha256,
  notAfter: z.iso.datetime(),
});

const schema = z.strictObject({
  format: z.literal(1),
  name: z.string(),
  version: z.string(),
  architecture: z.literal(ARCHITECTURE),
  /** SOURCE_DATE_EPOCH of the build. */
  created: z.iso.datetime(),
  /** dm-verity root hash of the root file system: names every bit of it. */
  rootHash: sha256,
  kernel: z.strictObject({ version: z.string(), commandLine: z.string() }),
  agent: z.strictObject({ version: z.string() }),
  packages: z.strictObject({ count: z.int().min(0), lockSha256: sha256 }),
  disk: z.strictObject({ uuid: z.guid(), sizeBytes }),
  partitions: z.array(partition),
  /** `authenticodeSha256` is what firmware measures and what a signature covers. */
  uki: z.strictObject({ name: fileName, sha256, authenticodeSha256: sha256 }),
  bootLoader: z.strictObject({ sha256, authenticodeSha256: sha256 }),
  /** Values to expect on a machine, by PCR and then by case or boot phase. */
  pcrs: z.record(z.string(), z.record(z.string(), sha256)),
  certificates: z.array(certificate),
  /** Who checks what, in the order of a boot. */
  chain: z.array(z.strictObject({ link: z.string(), checkedBy: z.string(), against: z.string() })),
  artefacts: z.array(artefact),
});

/** What a release is: the .manifest.json beside its files. */
export type Manifest = z.infer<typeof schema>;
export type ManifestArtefact = Manifest['artefacts'][number];
export type ManifestPartition = Manifest['partitions'][number];

/** The links of the boot chain; the same for every release, and published with each. */
export const BOOT_CHAIN: Manifest['chain'] = [
  { link: 'boot loader', checkedBy: 'firmware', against: 'the boot certificate in db' },
  { link: 'UKI: kernel, initrd, command line', checkedBy: 'firmware', against: 'the boot certificate in db' },
  { link: 'root hash', checkedBy: 'kernel', against: 'the verity certificate in db (platform keyring)' },
  { link: 'every block of the root', checkedBy: 'kernel (dm-verity)', against: 'the root hash' },
  { link: 'release files', checkedBy: 'plinth verify', against: 'the release certificate' },
];

/**
 * parseManifest reads a manifest.
 * @param name the file's name, for messages
 * @throws release/manifest-invalid
 */
export function parseManifest(text: string, name: string): Manifest {
  const invalid = (state: string) =>
    new PlinthError('release/manifest-invalid', `Cannot read ${name}: ${state}, expected a release manifest`);
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.length ? issue.path.join('.') : 'it';
  throw invalid(`${where} is not valid (${issue?.message ?? 'unknown reason'})`);
}

/** formatManifest writes a manifest; the same manifest always gives the same bytes. */
export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(schema.parse(manifest), undefined, 2)}\n`;
}

/** manifestJsonSchema is the published JSON Schema of the manifest. */
export function manifestJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(schema, { target: 'draft-2020-12' }),
    $id: 'https://plinth.dev/schema/release-manifest-1.json',
    title: 'Manifest of a Plinth release',
  };
}
