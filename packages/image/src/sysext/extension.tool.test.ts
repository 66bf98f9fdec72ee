import assert from 'node:assert/strict';
import { chmod, cp, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PlinthError, silentProgress } from '@plinth/base';
import { memoryReader, readGpt } from '@plinth/formats';
import { exists, hashFile, openStageCache } from '@plinth/host';
import { openToolbox } from '@plinth/toolbox';
import { initKeys, loadKeys } from '@plinth/trust';
import { addVerity, makeRootFilesystem } from '../root/make-root.ts';
import { renderExtensionRelease } from './extension-release.ts';
import { gateLayer } from './gate-layer.ts';
import { makeExtension, planExtension } from './make-extension.ts';

// A system extension of ours in the hands of the tools that meet it on a node: systemd's dissection, veritysetup and
// openssl. What only a kernel can refuse is tried on booted nodes.

const toolbox = await openToolbox();
const dir = await mkdtemp(join(tmpdir(), 'plinth-extension-'));
after(() => rm(dir, { recursive: true }));
const binds = [{ host: dir, inside: '/mnt/work' }];
const tool = (program: string, ...args: string[]) => toolbox.run(program, args, { binds, cwd: '/mnt/work' });
const seed = 'example 1.2.3';
const epochSeconds = 1_763_700_000;
const osRelease = 'ID=plinth\nVERSION_ID=0.1.0\nARCHITECTURE=x86-64\nSYSEXT_LEVEL=0.1.0\n';

await initKeys(join(dir, 'keys'), {});
const { signers, certificates } = await loadKeys(join(dir, 'keys'), {});
await writeFile(join(dir, 'verity.crt'), certificates('verity')[0]?.pem ?? '');
const rootHash = await build('first');
const image = join(dir, 'first/example_1.2.3_x86-64.sysext.raw');
const parts = await split(image);

/** Makes the extension in a folder of its own, from a tree written anew. */
async function build(name: string): Promise<string> {
  const tree = join(dir, name, 'tree');
  await mkdir(join(tree, 'usr/lib/extension-release.d'), { recursive: true });
  await mkdir(join(tree, 'usr/bin'));
  const release = renderExtensionRelease(osRelease, { name: 'example', version: '1.2.3' });
  await writeFile(join(tree, 'usr/lib/extension-release.d/extension-release.example'), release);
  await cp(join(toolbox.root, 'usr/bin/true'), join(tree, 'usr/bin/program'));
  await chmod(join(tree, 'usr/bin/program'), 0o755);
  const contexts = join(dir, name, 'contexts');
  await mkdir(contexts);
  await writeFile(join(contexts, 'file_contexts'), '/usr(/.*)? system_u:object_r:usr_t:s0\n');
  await makeRootFilesystem(tree, join(dir, name), { toolbox, epochSeconds, seed, fileContextsDir: contexts });
  const root = await addVerity(join(dir, name), {
    seed,
    slots: { rootSizeBytes: 2 ** 24, veritySizeBytes: 2 ** 20 },
  });
  const inputs = { name: 'example', version: '1.2.3', root, key: signers.verity, toolbox, epochSeconds };
  await makeExtension(inputs, join(dir, name));
  return root.rootHash;
}

/** Cuts the image into its partitions, as files `<label>` beside it. */
async function split(path: string): Promise<Map<string, string>> {
  const bytes = await readFile(path);
  const { partitions } = await readGpt(memoryReader(bytes));
  const files = new Map<string, string>();
  for (const { label, offsetBytes, sizeBytes } of partitions) {
    await writeFile(join(dir, label), bytes.subarray(offsetBytes, offsetBytes + sizeBytes));
    files.set(label, join(dir, label));
  }
  return files;
}

test('the image has root, hash tree and signature, under the labels of its version', () => {
  assert.deepEqual([...parts.keys()], ['example_1.2.3', 'example_1.2.3_verity', 'example_1.2.3_sig']);
});

test('veritysetup accepts the image under its root hash, and refuses it with one bit changed', async () => {
  const verify = () => tool('veritysetup', 'verify', 'example_1.2.3', 'example_1.2.3_verity', rootHash);
  await verify();
  const file = await open(join(dir, 'example_1.2.3'), 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 5000);
  await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, 5000);
  await assert.rejects(verify());
  await file.write(buffer, 0, 1, 5000);
  await file.close();
  await verify();
});

test('openssl accepts the signature of this root hash by this key, and of no other root hash', async () => {
  const text = (await readFile(join(dir, 'example_1.2.3_sig'), 'utf8')).replace(/\0+$/, '');
  const signed = JSON.parse(text) as { rootHash: string; signature: string };
  assert.equal(signed.rootHash, rootHash);
  await writeFile(join(dir, 'signature.p7'), Buffer.from(signed.signature, 'base64'));
  const verify = async (hash: string) => {
    await writeFile(join(dir, 'hash'), hash);
    return tool(
      'openssl',
      ...['cms', '-verify', '-inform', 'DER', '-in', 'signature.p7', '-content', 'hash', '-binary'],
      ...[
        '-certfile',
        'verity.crt',
        '-CAfile',
        'verity.crt',
        '-purpose',
        'any',
        '-partial_chain',
        '-out',
        'out',
      ],
    );
  };
  await verify(rootHash);
  await assert.rejects(verify(`${rootHash.startsWith('0') ? '1' : '0'}${rootHash.slice(1)}`));
});

test('fsck.erofs unpacks the tree, owned by root, with the release file systemd-sysext looks for', async () => {
  await tool('fsck.erofs', '--extract=/mnt/work/unpacked', 'example_1.2.3');
  const name = 'usr/lib/extension-release.d/extension-release.example';
  const text = await readFile(join(dir, 'unpacked', name), 'utf8');
  for (const line of ['ID=plinth', 'SYSEXT_LEVEL=0.1.0', 'ARCHITECTURE=x86-64']) {
    assert.ok(text.split('\n').includes(line), `${line} in ${text}`);
  }
});

test('the same inputs give the same image', async () => {
  await build('second');
  const again = join(dir, 'second/example_1.2.3_x86-64.sysext.raw');
  assert.deepEqual(await hashFile(again), await hashFile(image));
});

test('the image policy looks into the tree and at the programs that were packed into images', async () => {
  const osDir = fileURLToPath(new URL('../../../../os/', import.meta.url));
  const gate = { osDir, toolbox, cache: openStageCache(join(dir, 'stages')), today: '2026-11-21' };
  const layer = { dir: join(dir, 'layer'), key: 'layer', packages: ['example'] };
  await mkdir(join(layer.dir, 'root/usr/bin'), { recursive: true });
  await mkdir(join(layer.dir, 'programs'));
  await writeFile(join(layer.dir, 'root/usr/bin/script'), '#!/bin/sh\n', { mode: 0o755 });
  await cp(join(toolbox.root, 'usr/bin/dash'), join(layer.dir, 'programs/image'));
  await assert.rejects(gateLayer(layer, gate, silentProgress), (error) => {
    assert.ok(error instanceof PlinthError && error.code === 'policy/violations');
    const found = error.diagnostics.map(({ code, path }) => `${code} ${path}`);
    assert.ok(found.includes('policy/script /root/usr/bin/script'), found.join('\n'));
    assert.ok(found.includes('policy/shell /programs/image'), found.join('\n'));
    return true;
  });
  for (const path of ['root/usr/bin/script', 'programs/image']) await rm(join(layer.dir, path));
  await gateLayer(layer, gate, silentProgress);
});

const dissect = await exists(join(toolbox.root, 'usr/bin/systemd-dissect'));
const absent = 'systemd-dissect is not in the toolbox';

test('systemd takes the image where a signed root is demanded', { skip: !dissect && absent }, async () => {
  const path = 'first/example_1.2.3_x86-64.sysext.raw';
  await tool('systemd-dissect', '--validate', '--image-policy=root=signed', path);
});

test('systemd refuses an image without a signature there', { skip: !dissect && absent }, async () => {
  const { '10-root.conf': data = [], '20-root-verity.conf': tree = [] } = planExtension('x', '1', rootHash);
  await mkdir(join(dir, 'unsigned.d'));
  for (const [name, lines] of Object.entries({ data, tree })) {
    const text = ['[Partition]', ...lines, ''].join('\n').replaceAll('=/in/', '=/mnt/work/first/');
    await writeFile(join(dir, 'unsigned.d', `${name}.conf`), text);
  }
  const repart = ['--offline=yes', '--empty=create', '--size=auto', '--sector-size=512', '--dry-run=no'];
  await tool('systemd-repart', ...repart, '--definitions=/mnt/work/unsigned.d', '--root=/', 'unsigned.raw');
  await tool('systemd-dissect', '--validate', '--image-policy=root=verity', 'unsigned.raw');
  await assert.rejects(tool('systemd-dissect', '--validate', '--image-policy=root=signed', 'unsigned.raw'));
});
