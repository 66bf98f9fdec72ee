import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { encodeText, type TarEntry, writeTar } from '@plinth/formats';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import { initKeys, loadKeys, type Signer, verifyRootHashSignature } from '@plinth/trust';
import { writeOciArchive } from '../oci/write-oci-archive.ts';
import { signWorkload } from './sign-workload.ts';

const NAMES = 'io.cncf.notary.dmverity';
const CONTENT = 'not really a program\n'.repeat(1000);
const entries: readonly TarEntry[] = [
  { kind: 'directory', path: 'bin', mode: 0o755 },
  { kind: 'file', path: 'bin/app', mode: 0o755, data: encodeText(CONTENT) },
  { kind: 'symlink', path: 'app', target: 'bin/app' },
];

interface Part {
  readonly mediaType: string;
  readonly digest: string;
  readonly annotations: Readonly<Record<string, string>>;
}

suite('signWorkload', () => {
  let folder: string;
  let toolbox: Toolbox;
  let key: Signer;
  let stranger: Signer;
  let archive: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-workload-'));
    toolbox = await openToolbox();
    await initKeys(join(folder, 'keys'));
    const { signers } = await loadKeys(join(folder, 'keys'));
    key = signers.verity;
    stranger = signers.boot;
    archive = join(folder, 'app.tar');
    const image = {
      reference: 'example.org/app:1',
      entries,
      entrypoint: ['/bin/app'],
      epochSeconds: 1_700_000_000,
    };
    await writeFile(archive, writeOciArchive(image).bytes);
  });
  after(() => rm(folder, { recursive: true }));

  const blobOf = (layout: string, digest: string) => join(layout, 'blobs', digest.replace(':', '/'));
  const json = async (path: string) => JSON.parse(await readFile(path, 'utf8'));
  /** The parts of the bundle, by the end of their type. */
  const partsOf = async (layout: string, digest: string): Promise<readonly Part[]> =>
    (await json(blobOf(layout, digest))).layers;
  const only = (parts: readonly Part[], end: string): Part => {
    const [part, ...more] = parts.filter(({ mediaType }) => mediaType.endsWith(end));
    assert.ok(part && more.length === 0, end);
    return part;
  };
  /** The layout of the archive, to be changed by a test. */
  const unpacked = async (name: string): Promise<string> => {
    const layout = join(folder, name);
    await mkdir(layout);
    const binds = [
      { host: archive, inside: '/mnt/in', readOnly: true },
      { host: layout, inside: '/mnt/out' },
    ];
    await toolbox.run('tar', ['-xf', '/mnt/in', '-C', '/mnt/out'], { binds });
    return layout;
  };

  test('leaves the image as it is, and adds what veritysetup, the EROFS tools and the kernel need', async () => {
    const out = join(folder, 'signed');
    const { digest, bundleDigest, layers } = await signWorkload(archive, out, { key, toolbox });
    const { manifests } = await json(join(out, 'index.json'));
    assert.deepEqual(
      manifests.map((each: Part) => each.digest),
      [digest, bundleDigest],
    );
    assert.equal((await json(blobOf(out, bundleDigest))).subject.digest, digest);
    const parts = await partsOf(out, bundleDigest);
    const [image, tree, signed] = ['erofs.layer.v1', 'merkle-tree.v1', 'pkcs7'].map((end) =>
      only(parts, end),
    );
    assert.ok(image && tree && signed);
    const rootHash = signed.annotations[`${NAMES}.layer-roothash`] ?? '';
    assert.equal(layers[0]?.rootHash, rootHash);

    const binds = [{ host: out, inside: '/mnt/layout', readOnly: true }];
    const inside = ({ digest: each }: Part) => blobOf('/mnt/layout', each);
    await toolbox.run('veritysetup', ['verify', inside(image), inside(tree), rootHash], { binds });
    const wrong = rootHash.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    await assert.rejects(
      toolbox.run('veritysetup', ['verify', inside(image), inside(tree), wrong], { binds }),
    );
    const { stdout } = await toolbox.run('dump.erofs', ['--path=/bin/app', '--cat', inside(image)], {
      binds,
    });
    assert.equal(stdout.toString('utf8'), CONTENT);

    const signature = await readFile(blobOf(out, signed.digest));
    assert.equal(verifyRootHashSignature(rootHash, signature, [key.certificate]).verdict, 'pass');
    assert.equal(verifyRootHashSignature(rootHash, signature, [stranger.certificate]).verdict, 'fail');
    assert.equal(signed.annotations[`${NAMES}.layer-signature`], signature.toString('base64'));
  });

  test('gives the same bytes each time, from an archive and from a layout', async () => {
    const files = async (layout: string) => {
      const names = (await readdir(join(layout, 'blobs/sha256'))).sort();
      return [names, await readFile(join(layout, 'index.json'), 'utf8')];
    };
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    await signWorkload(archive, one, { key, toolbox });
    await signWorkload(await unpacked('layout'), two, { key, toolbox });
    assert.deepEqual(await files(one), await files(two));
    await assert.rejects(signWorkload(archive, two, { key, toolbox }), { code: 'workload/exists' });
  });

  test('takes compressed layers, and none that unpacks to something else', async () => {
    const repacked = async (name: string, content: string) => {
      const layout = await unpacked(name);
      const index = await json(join(layout, 'index.json'));
      const manifest = await json(blobOf(layout, index.manifests[0].digest));
      const put = async (data: Uint8Array) => {
        const digest = `sha256:${createHash('sha256').update(data).digest('hex')}`;
        await writeFile(blobOf(layout, digest), data);
        return { digest, size: data.length };
      };
      const tar = writeTar(
        entries.map((entry) => (entry.kind === 'file' ? { ...entry, data: encodeText(content) } : entry)),
        { mtimeSeconds: 1_700_000_000 },
      );
      const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
      manifest.layers = [{ mediaType, ...(await put(gzipSync(tar))) }];
      index.manifests = [{ ...index.manifests[0], ...(await put(encodeText(JSON.stringify(manifest)))) }];
      await writeFile(join(layout, 'index.json'), JSON.stringify(index));
      return layout;
    };
    const good = await signWorkload(await repacked('good', CONTENT), join(folder, 'good-out'), {
      key,
      toolbox,
    });
    const plain = await signWorkload(archive, join(folder, 'plain-out'), { key, toolbox });
    assert.equal(
      good.layers[0]?.rootHash,
      plain.layers[0]?.rootHash,
      'compression is no part of what is signed',
    );
    const liar = signWorkload(await repacked('liar', 'other'), join(folder, 'liar-out'), { key, toolbox });
    await assert.rejects(liar, { code: 'workload/image-invalid' });
  });

  test('refuses a changed blob and a link out of the layout, and leaves nothing behind', async () => {
    const index = await json(join(await unpacked('names'), 'index.json'));
    const blob: string = index.manifests[0].digest;
    const damages: Readonly<Record<string, (layout: string) => Promise<void>>> = {
      changed: async (layout) => {
        const path = blobOf(layout, blob);
        await writeFile(
          path,
          (await readFile(path, 'utf8')).replace('"schemaVersion":2', '"schemaVersion":3'),
        );
      },
      link: async (layout) => {
        await cp(blobOf(layout, blob), join(folder, 'outside'));
        await rm(blobOf(layout, blob));
        await symlink(join(folder, 'outside'), blobOf(layout, blob));
      },
      absent: async (layout) => rm(join(layout, 'index.json')),
    };
    for (const [name, damage] of Object.entries(damages)) {
      const layout = await unpacked(name);
      await damage(layout);
      const out = join(folder, 'never', name);
      const code = name === 'absent' ? 'host/io' : 'workload/image-invalid';
      await assert.rejects(signWorkload(layout, out, { key, toolbox }), { code }, name);
      assert.deepEqual(await readdir(join(folder, 'never')), [], name);
    }
  });
});
