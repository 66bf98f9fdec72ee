import { type Progress, silentProgress } from '@plinth/base';
import { z } from 'zod';
import { type ReleaseFiles, readReleaseFiles } from '../release/read-release-files.ts';
import { readCredentials } from './credentials.ts';
import {
  type Descriptor,
  EMPTY,
  EMPTY_CONFIG,
  INDEX_TYPE,
  makeArtefact,
  makeReferrersIndex,
  type OciDocument,
} from './make-artefact.ts';
import { parseOciReference, tagOf } from './reference.ts';
import { type Body, RegistryClient } from './registry-client.ts';

export interface PushOptions {
  /** Folder of the release, verified by the caller. */
  readonly releaseDir: string;
  /** oci://HOST/NAME[:TAG] */
  readonly to: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

export interface PushedRelease {
  readonly version: string;
  /** HOST/NAME:TAG */
  readonly reference: string;
  /** Of the index that the tag names. */
  readonly digest: string;
  /** Digest of the image, which referrers refer to. */
  readonly imageDigest: string;
  readonly files: readonly { readonly name: string; readonly sizeBytes: number; readonly isNew: boolean }[];
  readonly referrers: readonly { readonly artifactType: string; readonly digest: string }[];
}

/**
 * pushRelease puts a release into a registry as an artefact: its files as they are, by their digests, with SBOMs, provenance and
 * signatures as referrers. The tag comes last. What is there already is not sent again.
 * @throws publish/request-invalid, publish/registry-denied, publish/registry-failed, release/…, publish/release-refused, host/io
 */
export async function pushRelease(options: PushOptions): Promise<PushedRelease> {
  const { releaseDir, env, signal, progress = silentProgress } = options;
  const reference = parseOciReference(options.to);
  const release = await readReleaseFiles(releaseDir);
  const { manifest, files } = release;
  const artefact = makeArtefact(manifest, files);
  const client = new RegistryClient(reference, await readCredentials(reference.host, env), signal);
  const sent = await pushBlobs(client, release, progress);
  await putManifest(client, artefact.image.descriptor.digest, artefact.image);
  await pushReferrers(client, artefact.image.descriptor, artefact.referrers);
  const tag = reference.tag ?? tagOf(manifest.version);
  await putManifest(client, tag, artefact.index);
  return {
    version: manifest.version,
    reference: `${reference.host}/${reference.repository}:${tag}`,
    digest: artefact.index.descriptor.digest,
    imageDigest: artefact.image.descriptor.digest,
    files: files.map(({ name, sizeBytes }) => ({ name, sizeBytes, isNew: sent.has(name) })),
    referrers: artefact.referrers.map(({ descriptor: { artifactType = '', digest } }) => ({
      artifactType,
      digest,
    })),
  };
}

async function pushBlobs(
  client: RegistryClient,
  { files }: ReleaseFiles,
  progress: Progress,
): Promise<Set<string>> {
  const type = 'application/octet-stream';
  const sent = new Set<string>();
  await pushBlob(client, EMPTY.digest, { bytes: EMPTY_CONFIG, type });
  for (const { name, path, sizeBytes, sha256 } of files) {
    progress.note(name);
    if (await pushBlob(client, `sha256:${sha256}`, { path, sizeBytes, type })) sent.add(name);
  }
  return sent;
}

/** False when the registry has it. */
async function pushBlob(client: RegistryClient, digest: string, body: Body): Promise<boolean> {
  if ((await client.ask('HEAD', `blobs/${digest}`)).status === 200) return false;
  const begun = await client.ask('POST', 'blobs/uploads/');
  const { location } = begun.headers;
  if (begun.status !== 202 || location === undefined)
    throw client.failed('begin a file', `it answers ${begun.status}`);
  const url = new URL(location, 'http://relative.invalid');
  url.searchParams.set('digest', digest);
  const where = location.startsWith('/') ? `${url.pathname}${url.search}` : url.href;
  const ended = await client.ask('PUT', where, { body });
  if (ended.status === 201) return true;
  throw client.failed(digest, `it answers ${ended.status} ${wordsOf(ended.body)}`);
}

async function putManifest(client: RegistryClient, name: string, { bytes, descriptor }: OciDocument) {
  const answer = await client.ask('PUT', `manifests/${name}`, {
    body: { bytes, type: descriptor.mediaType },
  });
  if (answer.status === 201) return answer;
  throw client.failed(`manifest ${name}`, `it answers ${answer.status} ${wordsOf(answer.body)}`);
}

/** Puts the referrers, and lists them where the registry does not: it says so by not naming the subject. */
async function pushReferrers(
  client: RegistryClient,
  subject: Descriptor,
  referrers: readonly OciDocument[],
): Promise<void> {
  const unlisted: Descriptor[] = [];
  for (const referrer of referrers) {
    const { headers } = await putManifest(client, referrer.descriptor.digest, referrer);
    if (headers['oci-subject'] !== subject.digest) unlisted.push(referrer.descriptor);
  }
  if (unlisted.length === 0) return;
  const tag = subject.digest.replace(':', '-');
  const digests = new Set(unlisted.map(({ digest }) => digest));
  const others = (await readReferrersIndex(client, tag)).filter(({ digest }) => !digests.has(digest));
  await putManifest(client, tag, makeReferrersIndex([...others, ...unlisted]));
}

const indexSchema = z.looseObject({
  manifests: z.array(
    z.looseObject({
      mediaType: z.string(),
      digest: z.string(),
      size: z.number(),
      artifactType: z.string().optional(),
    }),
  ),
});

/** What others referred by before. */
async function readReferrersIndex(client: RegistryClient, tag: string): Promise<Descriptor[]> {
  const answer = await client.ask('GET', `manifests/${tag}`, { accept: INDEX_TYPE });
  if (answer.status === 404) return [];
  const parsed = indexSchema.safeParse(answer.status === 200 ? parseJson(answer.body) : undefined);
  if (!parsed.success) throw client.failed('list of referrers', `it answers ${answer.status} with no index`);
  return parsed.data.manifests.map(({ artifactType, ...rest }) => ({
    ...rest,
    ...(artifactType !== undefined && { artifactType }),
  }));
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // Reported as no index.
    return undefined;
  }
}

/** The start of what a registry says, as one plain line. */
function wordsOf(body: Buffer): string {
  return body
    .toString('utf8', 0, 300)
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .trim();
}
