import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { readSubject } from '@plinth/advisory';
import { PlinthError } from '@plinth/base';
import { memoryReader, readFat, readGpt } from '@plinth/formats';
import { hashFile, run } from '@plinth/host';
import {
  manifestJsonSchema,
  PACKED_SUFFIX,
  parseManifest,
  releaseNames,
  SUMS_FILE,
  SUMS_SIGNATURE_FILE,
} from '@plinth/updates';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { diffReleases } from './diff-releases.ts';
import { diskFormats } from './disk/convert-disk.ts';
import { isSameContent } from './facts/diff-facts.ts';
import { inspectRelease } from './inspect-release.ts';
import { makeSampleRelease, openWorkshop, type SampleWorkshop } from './sample-release.testing.ts';
import { spdxSchema } from './sbom/spdx.testing.ts';

const names = releaseNames('plinth', '1.2.3');
let workshop: SampleWorkshop;
let release = '';

before(async () => {
  workshop = await openWorkshop();
  release = await makeSampleRelease(workshop, { formats: diskFormats });
});
after(() => workshop.close());

const read = (name: string) => readFile(join(release, name), 'utf8');

test('a release has one file for every purpose, and all but the checksums are listed', async () => {
  const found = (await readdir(release)).sort();
  const uuid = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';
  const partition = (kind: string) => new RegExp(`^plinth_1\\.2\\.3_x86-64\\.${kind}\\.${uuid}\\.raw$`);
  for (const kind of ['root', 'root-verity', 'root-verity-sig']) {
    assert.equal(found.filter((name) => partition(kind).test(name)).length, 1, kind);
  }
  const plain = [
    names.uki,
    names.manifest,
    names.facts,
    names.spdx,
    names.cycloneDx,
    names.pcrs,
    names.reference,
    names.provenance,
  ];
  for (const name of [...plain, ...diskFormats.map(names.disk)]) assert.ok(found.includes(name), name);
  const listed = (await read(SUMS_FILE))
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(66));
  assert.deepEqual(
    listed,
    found.filter((name) => ![SUMS_FILE, SUMS_SIGNATURE_FILE].includes(name)),
  );
});

test('sha256sum and openssl, which users have, accept checksums and signature', async () => {
  await run('sha256sum', ['--check', '--strict', '--quiet', SUMS_FILE], { cwd: release });
  await writeFile(join(workshop.folder, 'release.crt'), workshop.keys.release.certificatePem);
  const binds = [{ host: workshop.folder, inside: '/mnt', readOnly: true }];
  const folder = join('/mnt', release.slice(workshop.folder.length));
  const files = [
    '-in',
    join(folder, SUMS_SIGNATURE_FILE),
    '-content',
    join(folder, SUMS_FILE),
    '-out',
    '/dev/null',
  ];
  const trust = ['-CAfile', '/mnt/release.crt', '-purpose', 'any'];
  await workshop.toolbox.run('openssl', ['cms', '-verify', '-binary', '-inform', 'der', ...files, ...trust], {
    binds,
  });
});

test('the same build written twice is the same, to the last signature', async () => {
  const again = await makeSampleRelease(workshop, { formats: diskFormats });
  for (const name of await readdir(release)) {
    assert.deepEqual(await hashFile(join(again, name)), await hashFile(join(release, name)), name);
  }
  assert.ok(isSameContent(await diffReleases(release, again)));
});

test('who signs the release changes provenance, checksums and what names the key, nothing else', async () => {
  const other = await makeSampleRelease(workshop, {
    formats: diskFormats,
    keys: { release: workshop.foreign.release },
  });
  const differing: string[] = [];
  for (const name of await readdir(release)) {
    const [a, b] = [await hashFile(join(release, name)), await hashFile(join(other, name))];
    if (a.sha256 !== b.sha256) differing.push(name);
  }
  assert.deepEqual(
    differing.sort(),
    [SUMS_FILE, SUMS_SIGNATURE_FILE, names.manifest, names.provenance].sort(),
  );
});

test('both SBOMs of a release are valid', async () => {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  assert.equal(await validator.validate(await read(names.cycloneDx)), null);
  const ajv = addFormats.default(new Ajv2020({ allErrors: true, strict: false }));
  assert.ok(ajv.validate(spdxSchema, JSON.parse(await read(names.spdx))), ajv.errorsText());
});

test('the manifest fits its published schema', async () => {
  const ajv = addFormats.default(new Ajv2020({ allErrors: true, strict: false }));
  assert.ok(ajv.validate(manifestJsonSchema(), JSON.parse(await read(names.manifest))), ajv.errorsText());
});

test('the split root partition is what the hash tree covers, and its UUIDs are the halves of the root hash', async () => {
  const { rootHash, partitions, artefacts } = parseManifest(await read(names.manifest), names.manifest);
  const [root, verity] = partitions.filter(({ label }) => label.startsWith('plinth_'));
  assert.equal(`${root?.uuid}${verity?.uuid}`.replaceAll('-', ''), rootHash);
  const artefact = artefacts.find(({ name }) => name === root?.artefact?.name);
  const image = await readFile(join(workshop.folder, 'root/root.erofs'));
  assert.equal(artefact?.sha256, createHash('sha256').update(image).digest('hex'));
  assert.equal(artefact?.sizeBytes, image.length);
});

test('the disk has its kernel under a name that no boot counts: to count is to rename the only one there is', async () => {
  const disk = zstdDecompressSync(await readFile(join(release, names.disk('raw.zst'))));
  const { partitions } = await readGpt(memoryReader(disk));
  const esp = partitions.find(({ typeName }) => typeName === 'esp');
  assert.ok(esp);
  const { paths } = await readFat(
    memoryReader(disk.subarray(esp.offsetBytes, esp.offsetBytes + esp.sizeBytes)),
  );
  assert.deepEqual(
    paths.filter((path) => path.startsWith('EFI/Linux/')),
    [`EFI/Linux/${names.uki}`],
  );
});

test('packed root and hash tree are root and hash tree, block by block, to zstd as well', async () => {
  const found = await readdir(release);
  const packed = found.filter((name) => name.endsWith(PACKED_SUFFIX));
  const plain = found.filter((name) => /\.root(-verity)?\.[0-9a-f-]+\.raw$/.test(name));
  assert.deepEqual(
    packed.map((name) => name.replace(PACKED_SUFFIX, '.raw')),
    plain,
  );
  const binds = [
    { host: release, inside: '/mnt/release', readOnly: true },
    { host: workshop.folder, inside: '/mnt/out' },
  ];
  for (const [index, name] of packed.entries()) {
    const args = ['--decompress', '--force', '-o', '/mnt/out/unpacked', `/mnt/release/${name}`];
    await workshop.toolbox.run('zstd', args, { binds });
    const expected = await readFile(join(release, plain[index] ?? ''));
    assert.ok((await readFile(join(workshop.folder, 'unpacked'))).equals(expected), name);
  }
});

test('diffReleases and inspectRelease', async () => {
  const treeDir = join(workshop.folder, 'next-tree');
  await cp(workshop.treeDir, treeDir, { recursive: true });
  const wants = join(treeDir, 'usr/lib/systemd/system/sockets.target.wants');
  await mkdir(wants);
  await cp(join(treeDir, 'usr/lib/os-release'), join(treeDir, 'usr/bin/new'));
  await run('ln', ['-s', '../demo.socket', join(wants, 'demo.socket')]);
  await run('chmod', ['u+s', join(treeDir, 'usr/bin/new')]);
  const next = await makeSampleRelease(workshop, { treeDir, version: '1.3.0' });
  const diff = await diffReleases(release, next);
  assert.deepEqual([diff.from, diff.to], ['1.2.3', '1.3.0']);
  assert.deepEqual(diff.setuid, [{ what: '/usr/bin/new', to: '4644' }]);
  assert.deepEqual(diff.units, [{ what: 'demo.socket sockets.target', to: 'wanted by sockets.target' }]);
  assert.deepEqual(diff.ports, [{ what: '7546 (stream, demo.socket)', from: 'not enabled', to: 'enabled' }]);
  const summary = await inspectRelease(next);
  assert.deepEqual(summary.ports, ['7546 (stream)']);
  assert.deepEqual(summary.setuidFiles, ['/usr/bin/new']);
  assert.equal(summary.version, '1.3.0');
});

test('what is said of an image is asked of each image anew: what no longer holds is told, and read by the scan', async () => {
  const said = async (treeDir: string, version: string) => {
    const next = await makeSampleRelease(workshop, { treeDir, version });
    const { statements = [], kernel } = await readSubject(next);
    const answers = statements.map(({ id, outcome }) => [id, outcome.holds]);
    return {
      answers,
      kernel,
      manifest: parseManifest(
        await readFile(join(next, releaseNames('plinth', version).manifest), 'utf8'),
        'x',
      ),
    };
  };
  const treeDir = join(workshop.folder, 'vex-tree');
  await cp(workshop.treeDir, treeDir, { recursive: true });
  await mkdir(join(treeDir, 'usr/share/vex'), { recursive: true });
  await mkdir(join(treeDir, 'usr/lib/modprobe.d'), { recursive: true });
  await mkdir(join(treeDir, 'usr/lib/modules/6.12.0-sample/kernel'), { recursive: true });
  await writeFile(join(treeDir, 'usr/lib/modules/6.12.0-sample/modules.builtin'), 'kernel/fs/ext4.ko\n');
  await writeFile(join(treeDir, 'usr/lib/modules/6.12.0-sample/kernel/dccp.ko.xz'), '');
  await writeFile(join(treeDir, 'usr/lib/modprobe.d/no.conf'), 'install dccp /bin/false\n');
  await writeFile(
    join(treeDir, 'usr/share/vex/statements.yaml'),
    [
      'statements:',
      '  - { id: CVE-2026-0001, justification: component_not_present, predicate: { kind: path-absent, paths: [/usr/bin/telnet] } }',
      '  - { id: CVE-2026-0002, justification: vulnerable_code_not_in_execute_path, predicate: { kind: module-denied, modules: [dccp] } }',
      '  - { id: CVE-2026-0003, justification: vulnerable_code_not_present, predicate: { kind: symbol-not-imported, library: libx.so.1, symbols: [x] } }',
      '',
    ].join('\n'),
  );
  const first = await said(treeDir, '2.0.0');
  // The sample's programs are no ELF files: nothing was read, so nothing is known of them.
  assert.deepEqual(first.answers, [
    ['CVE-2026-0001', 'yes'],
    ['CVE-2026-0002', 'yes'],
    ['CVE-2026-0003', 'unknown'],
  ]);
  assert.deepEqual([first.kernel?.builtin, first.kernel?.denied], [['ext4'], ['dccp']]);
  assert.ok(first.manifest.artefacts.some(({ name }) => name === 'plinth_2.0.0_x86-64.vex.json'));
  await cp(join(workshop.toolbox.root, 'usr/bin/true'), join(treeDir, 'usr/bin/telnet'));
  await writeFile(join(treeDir, 'usr/lib/modprobe.d/no.conf'), 'blacklist dccp\n');
  const second = await said(treeDir, '2.0.1');
  assert.deepEqual(second.answers, [
    ['CVE-2026-0001', 'no'],
    ['CVE-2026-0002', 'no'],
    ['CVE-2026-0003', 'yes'],
  ]);
  await writeFile(join(treeDir, 'usr/share/vex/statements.yaml'), 'statements: [{ id: x }]\n');
  await assert.rejects(
    makeSampleRelease(workshop, { treeDir, version: '2.0.2' }),
    (error) => error instanceof PlinthError && error.code === 'advisory/statements-invalid',
  );
  // An image of which nothing is said has no such paper.
  assert.equal((await readSubject(release)).statements, undefined);
});

test('a damaged manifest is an error with a code', async () => {
  for (const text of [
    '',
    '[]',
    '{"format":1}',
    (await read(names.manifest)).replace('"format": 1', '"format": 2'),
  ]) {
    assert.throws(
      () => parseManifest(text, names.manifest),
      (error) => error instanceof PlinthError && error.code === 'release/manifest-invalid',
    );
  }
  await assert.rejects(
    inspectRelease(workshop.folder),
    (error) => error instanceof PlinthError && error.code === 'release/not-found',
  );
  await rm(join(workshop.folder, 'next-tree'), { recursive: true, force: true });
});
