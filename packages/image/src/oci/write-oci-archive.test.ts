import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeText } from '@plinth/formats';
import { type OciImage, writeOciArchive } from './write-oci-archive.ts';

const image: OciImage = {
  reference: 'plinth.local/example:1.2.3',
  entries: [
    { kind: 'directory', path: 'usr', mode: 0o755 },
    { kind: 'symlink', path: 'bin', target: 'usr/bin' },
    { kind: 'file', path: 'example', mode: 0o555, data: encodeText('program') },
  ],
  entrypoint: ['/example', '--flag'],
  user: '65532:65532',
  epochSeconds: 1_763_700_000,
};

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Walks the layout as an importer does, by digests only, and holds every one against the bytes. */
function open(folder: string) {
  const json = (path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8'));
  const follow = ({ digest, size }: Descriptor): string => {
    const path = `blobs/${digest.replace(':', '/')}`;
    const bytes = readFileSync(join(folder, path));
    assert.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, digest);
    assert.equal(bytes.length, size);
    return path;
  };
  assert.deepEqual(json('oci-layout'), { imageLayoutVersion: '1.0.0' });
  const entry = json('index.json').manifests[0];
  const manifest = json(follow(entry));
  return { entry, config: json(follow(manifest.config)), layerPath: follow(manifest.layers[0]), manifest };
}

test('an archive leads from its index to its files, each part under its own digest', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plinth-oci-'));
  try {
    const { bytes, digest } = writeOciArchive(image);
    execFileSync('tar', ['-x', '-C', folder], { input: bytes });
    const { entry, config, layerPath, manifest } = open(folder);
    assert.equal(entry.digest, digest);
    assert.equal(entry.annotations['io.containerd.image.name'], image.reference);
    assert.equal(entry.annotations['org.opencontainers.image.ref.name'], '1.2.3');
    assert.deepEqual(config.rootfs.diff_ids, [manifest.layers[0].digest]);
    assert.deepEqual(config.config, {
      User: '65532:65532',
      Entrypoint: ['/example', '--flag'],
      WorkingDir: '/',
    });
    const list = execFileSync('tar', ['-tvf', join(folder, layerPath)], { encoding: 'utf8' });
    assert.match(
      list,
      /^lrwxrwxrwx 0\/0 .* bin -> usr\/bin\n-r-xr-xr-x 0\/0 .* example\ndrwxr-xr-x 0\/0 .* usr\/\n$/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the same image gives the same bytes, and any change another digest', () => {
  const { bytes, digest } = writeOciArchive(image);
  assert.deepEqual(writeOciArchive({ ...image, entries: image.entries.toReversed() }).bytes, bytes);
  const changes: OciImage[] = [
    { ...image, entrypoint: ['/example'] },
    { ...image, user: undefined },
    { ...image, epochSeconds: image.epochSeconds + 1 },
    { ...image, entries: image.entries.slice(1) },
  ];
  for (const changed of changes) assert.notEqual(writeOciArchive(changed).digest, digest);
});
