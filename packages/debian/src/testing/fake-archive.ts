import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { hashText } from '@plinth/host';
import { createCleartextMessage, generateKey, type PrivateKey, type PublicKey, sign } from 'openpgp';
import { type ArchiveIndex, parsePackages } from '../archive/package-index.ts';

/** Fields of a binary package beyond name and version, under their control file names. */
export type Fields = Readonly<Record<string, string>>;

/** One paragraph of a Packages file; what a test does not care about is filled in. */
export function packageParagraph(name: string, version = '1', fields: Fields = {}): string {
  const all = {
    Package: name,
    Version: version,
    Architecture: 'amd64',
    Priority: 'optional',
    Filename: `pool/main/${name}_${version.replace(':', '%3a')}_amd64.deb`,
    Size: '1000',
    SHA256: hashText(`${name} ${version}`),
    ...fields,
  };
  return Object.entries(all)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
}

/** An index that offers these paragraphs. */
export function indexOf(
  paragraphs: readonly string[],
  about: Partial<Pick<ArchiveIndex, 'suite' | 'archive' | 'notAutomatic' | 'date'>> = {},
): ArchiveIndex {
  const { suite = 'trixie', archive = 'debian', notAutomatic = false } = about;
  const text = paragraphs.join('\n');
  return {
    ...{ archive, suite, component: 'main', notAutomatic, date: about.date ?? new Date(0) },
    inReleaseSha256: hashText(suite),
    packagesSha256: hashText(text),
    packages: parsePackages(text, archive, suite),
  };
}

/** A signing key like those of Debian's release team (Ed25519). */
export async function makeArchiveKey(): Promise<{ privateKey: PrivateKey; publicKey: PublicKey }> {
  return generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: 'Test archive' }],
    // Signatures may be judged at earlier instants than "now".
    date: new Date('2020-01-01T00:00:00Z'),
    format: 'object',
  });
}

/** The files of one suite: its Packages file by hash, and InRelease signed by `key`. */
export async function suiteFiles(
  packagesText: string,
  key: PrivateKey,
  release: Fields = {},
): Promise<Map<string, Buffer>> {
  const suite = release['Codename'] ?? 'trixie';
  const packed = gzipSync(packagesText);
  const fields = { Codename: suite, Date: 'Sat, 12 Sep 2026 07:55:41 UTC', ...release };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  const folder = 'main/binary-amd64';
  lines.push('SHA256:');
  lines.push(` ${hashText(packagesText)} ${Buffer.byteLength(packagesText)} ${folder}/Packages`);
  lines.push(` ${hashText(packed)} ${packed.length} ${folder}/Packages.gz`);
  const message = await createCleartextMessage({ text: `${lines.join('\n')}\n` });
  const inRelease = await sign({ message, signingKeys: key, date: new Date('2026-09-12T08:00:00Z') });
  return new Map([
    [`/dists/${suite}/InRelease`, Buffer.from(inRelease)],
    [`/dists/${suite}/${folder}/by-hash/SHA256/${hashText(packed)}`, packed],
  ]);
}

/**
 * Serves files on loopback for the time of a test; the map may be changed meanwhile. Who has a file already is told so by its
 * ETag; all are dated as the suites are. Tells the base address.
 * @param onAnswered told each answer: "200 /dists/sid/InRelease"
 */
export async function serveFiles(
  context: TestContext,
  files: ReadonlyMap<string, Uint8Array>,
  onAnswered: (answer: string) => void = () => {},
): Promise<string> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    const file = files.get(path);
    const etag = file && `"${hashText(file)}"`;
    const isKept = etag !== undefined && request.headers['if-none-match'] === etag;
    const status = file ? (isKept ? 304 : 200) : 404;
    onAnswered(`${status} ${path}`);
    if (isKept) response.writeHead(status, { ETag: etag }).end();
    else
      response
        .writeHead(status, {
          'Content-Length': file?.length ?? 0,
          ...(etag && { ETag: etag, 'Last-Modified': 'Sat, 12 Sep 2026 07:55:41 GMT' }),
        })
        .end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}
