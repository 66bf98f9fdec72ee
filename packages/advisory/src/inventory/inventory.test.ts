import assert from 'node:assert/strict';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { hashText } from '@plinth/host';
import { codeOf, scratchFolder } from '@plinth/host/testing';
import fc from 'fast-check';
import { inventoryOfPapers } from './from-release.ts';
import { parsePackageUrl } from './package-url.ts';
import { parseStatus } from './parse-status.ts';
import { readSubject } from './read-subject.ts';

const STATUS = `Package: zlib1g
Status: install ok installed
Architecture: amd64
Source: zlib (1:1.3.dfsg+really1.3.1-1)
Version: 1:1.3.dfsg+really1.3.1-1+b1

Package: runc
Status: install ok installed
Architecture: amd64
Version: 1.1.15+ds1-2+b4
Source: runc (1.1.15+ds1-2)
Built-Using: golang-1.24 (= 1.24.4-1), golang-github-x (= 1.0-1)

Package: gone
Status: deinstall ok config-files
Version: 1
`;

const SPDX = {
  spdxVersion: 'SPDX-2.3',
  name: 'image',
  packages: [
    { SPDXID: 'i', name: 'plinth', versionInfo: '1', primaryPackagePurpose: 'OPERATING-SYSTEM' },
    {
      ...{ SPDXID: 'p', name: 'linux-image-x', versionInfo: '6.12.117-1' },
      externalRefs: [
        {
          referenceType: 'purl',
          referenceLocator: 'pkg:deb/debian/linux-image-x@6.12.117-1?arch=amd64&distro=debian-13',
        },
        {
          referenceType: 'purl',
          referenceLocator: 'pkg:deb/debian/linux-signed-amd64@6.12.117%2B1?arch=source',
        },
      ],
    },
    {
      ...{ SPDXID: 's', name: 'linux', versionInfo: '6.12.117-1' },
      externalRefs: [
        { referenceType: 'purl', referenceLocator: 'pkg:deb/debian/linux@6.12.117-1?arch=source' },
      ],
    },
    {
      SPDXID: 'g',
      name: 'stdlib',
      versionInfo: '1.26.11',
      externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:golang/stdlib@1.26.11' }],
    },
    {
      SPDXID: 'm',
      name: 'golang.org/x/net',
      versionInfo: 'v0.30.0',
      externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:golang/golang.org/x/net@v0.30.0' }],
    },
    { SPDXID: 'a', name: 'plinth-files', versionInfo: '1' },
    {
      SPDXID: 'n',
      name: 'zod',
      versionInfo: '4.6.7',
      externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:npm/zod@4.6.7' }],
    },
    {
      SPDXID: 'o',
      name: 'openssl',
      versionInfo: '3.5.8',
      externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:generic/openssl@3.5.8' }],
    },
  ],
  files: [{ SPDXID: 'f', fileName: './usr/lib/modules/x/kernel/a.ko' }],
  relationships: [
    { spdxElementId: 'p', relationshipType: 'STATIC_LINK', relatedSpdxElement: 's' },
    { spdxElementId: 'p', relationshipType: 'CONTAINS', relatedSpdxElement: 'f' },
    { spdxElementId: 'a', relationshipType: 'STATIC_LINK', relatedSpdxElement: 'g' },
    { spdxElementId: 'a', relationshipType: 'STATIC_LINK', relatedSpdxElement: 'm' },
  ],
};

async function tree(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await scratchFolder('root');
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

test("dpkg's status: rebuilds by their source version, Built-Using, what is removed left out", () => {
  const { binaries, unreadable } = parseStatus(STATUS, 'status');
  assert.deepEqual(
    binaries.map(({ name, source, sourceVersion }) => [name, source, sourceVersion]),
    [
      ['zlib1g', 'zlib', '1:1.3.dfsg+really1.3.1-1'],
      ['runc', 'runc', '1.1.15+ds1-2'],
    ],
  );
  assert.equal(binaries[1]?.builtUsing[0]?.source, 'golang-1.24');
  assert.deepEqual(unreadable, []);
  assert.deepEqual(parseStatus('Package: ../x\nVersion: 1\n', 's').unreadable, ['../x 1']);
});

test('a root: dpkg says installed of what the image no longer has', async () => {
  const root = await tree({
    'var/lib/dpkg/status': STATUS,
    'var/lib/dpkg/info/zlib1g.list':
      '/.\n/usr\n/usr/lib\n/usr/lib/libz.so.1\n/usr/share/doc/zlib1g/copyright\n',
    'var/lib/dpkg/info/runc.list': '/.\n/usr\n/usr/sbin\n/usr/sbin/runc\n/usr/share/doc/runc/copyright\n',
    'usr/lib/libz.so.1': 'x',
    'etc/os-release': 'ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n',
    'usr/lib/modules/6.12.1/modules.builtin': 'kernel/fs/ext4/ext4.ko\n',
    'usr/lib/modules/6.12.1/kernel/fs/nf-x.ko.xz': '',
    'boot/config-6.12.1': 'CONFIG_EXT4_FS=y\n# CONFIG_F2FS_FS is not set\n',
    'etc/modprobe.d/a.conf': 'install dccp /bin/false\nblacklist floppy\n',
  });
  await symlink('/', join(root, 'out'));
  const inventory = await readSubject(root);
  assert.deepEqual(
    inventory.binaries.map(({ name, filesPresent }) => [name, filesPresent]),
    [
      ['runc', 'none'],
      ['zlib1g', 'all'],
    ],
  );
  assert.equal(inventory.subject.codename, 'trixie');
  const { provenance: _, ...kernel } = inventory.kernel ?? { provenance: undefined };
  assert.deepEqual(kernel, {
    release: '6.12.1',
    modules: ['nf_x'],
    config: { CONFIG_EXT4_FS: 'y' },
    builtin: ['ext4'],
    // A blacklist stops aliases only.
    denied: ['dccp'],
  });
  assert.ok(inventory.files?.includes('/out'), 'a link is a file, and is not followed');
});

test('an image without dpkg but with status.d, as distroless ones are', async () => {
  const root = await tree({
    'var/lib/dpkg/status.d/zlib1g': STATUS.split('\n\n')[0] ?? '',
    'var/lib/dpkg/status.d/zlib1g.md5sums': 'x',
  });
  assert.deepEqual(
    (await readSubject(root)).binaries.map(({ name }) => name),
    ['zlib1g'],
  );
});

test('SPDX: packages with their sources, what is linked into what, and what no feed speaks of', async () => {
  const path = join(await tree({ 'sbom.json': JSON.stringify(SPDX) }), 'sbom.json');
  const inventory = await readSubject(path);
  assert.equal(inventory.subject.codename, 'trixie');
  const [kernel] = inventory.binaries;
  assert.deepEqual(
    [kernel?.source, kernel?.sourceVersion, kernel?.builtUsing],
    ['linux-signed-amd64', '6.12.117+1', [{ source: 'linux', version: '6.12.117-1' }]],
  );
  assert.deepEqual(
    inventory.goPrograms.map(({ path: name, goVersion, modules }) => [name, goVersion, modules]),
    [['plinth-files', 'go1.26.11', [{ path: 'golang.org/x/net', version: 'v0.30.0' }]]],
  );
  assert.deepEqual(
    inventory.npmModules.map(({ name }) => name),
    ['zod'],
  );
  assert.match(inventory.unread?.[0] ?? '', /1 parts .*openssl 3.5.8/);
});

test('CycloneDX of other tools: source packages as trivy and syft write them', async () => {
  const component = (purl: string, properties: unknown[] = []) => ({
    ...{ type: 'library', name: 'zlib1g', version: '1:1.3-1+b1', purl, properties },
  });
  const bom = {
    ...{ bomFormat: 'CycloneDX', specVersion: '1.5' },
    components: [
      {
        ...component('pkg:deb/debian/zlib1g@1.3-1%2Bb1?arch=amd64&distro=debian-12.5&epoch=1'),
        version: '1.3-1+b1',
        properties: [
          { name: 'aquasecurity:trivy:SrcName', value: 'zlib' },
          { name: 'aquasecurity:trivy:SrcEpoch', value: '1' },
          { name: 'aquasecurity:trivy:SrcVersion', value: '1.3' },
          { name: 'aquasecurity:trivy:SrcRelease', value: '1' },
        ],
      },
      component('pkg:deb/debian/zlib1g@1%3A1.3-1%2Bb1?arch=amd64&upstream=zlib%401%3A1.3-1&distro=debian-12'),
    ],
  };
  const inventory = await readSubject(join(await tree({ 'b.json': JSON.stringify(bom) }), 'b.json'));
  assert.equal(inventory.subject.codename, 'bookworm');
  for (const { version, source, sourceVersion } of inventory.binaries) {
    assert.deepEqual([version, source, sourceVersion], ['1:1.3-1+b1', 'zlib', '1:1.3-1']);
  }
});

test('nothing in an SBOM vanishes: parts inside parts are read, parts without a package URL are named', async () => {
  const module = (name: string, more = {}) => ({
    ...{ type: 'library', name, version: '1.0.0', purl: `pkg:npm/${name}@1.0.0` },
    ...more,
  });
  const cyclonedx = {
    ...{ bomFormat: 'CycloneDX', specVersion: '1.6' },
    components: [
      { type: 'operating-system', name: 'debian', version: '13' },
      module('outer', { components: [module('inner', { components: [module('innermost')] })] }),
      { type: 'library', name: 'libfoo', version: '2' },
      { type: 'library', name: 'Bad_Name', version: '1', purl: 'pkg:deb/debian/Bad_Name@1?arch=amd64' },
    ],
  };
  const spdx = {
    ...{ spdxVersion: 'SPDX-2.3', name: 'x' },
    packages: [
      { SPDXID: 'SPDXRef-image', name: 'image' },
      { SPDXID: 'SPDXRef-a', name: 'libfoo', versionInfo: '2' },
    ],
    relationships: [
      {
        ...{ spdxElementId: 'SPDXRef-image', relationshipType: 'CONTAINS' },
        relatedSpdxElement: 'SPDXRef-a',
      },
    ],
  };
  const folder = await tree({ 'c.json': JSON.stringify(cyclonedx), 's.json': JSON.stringify(spdx) });
  const fromCycloneDx = await readSubject(join(folder, 'c.json'));
  assert.deepEqual(
    fromCycloneDx.npmModules.map(({ name }) => name),
    ['outer', 'inner', 'innermost'],
  );
  assert.match(fromCycloneDx.unread?.[0] ?? '', /2 parts .*: libfoo 2, Bad_Name 1$/);
  assert.match((await readSubject(join(folder, 's.json'))).unread?.[0] ?? '', /1 parts .*: libfoo 2$/);
});

test('a root: what is not read is named; a release name that another distribution uses too is not Debian', async () => {
  const files = {
    'var/lib/dpkg/status': `${STATUS}\nPackage: Bad_Name\nStatus: install ok installed\nVersion: 1\n`,
    'etc/os-release': 'ID=raspbian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\nID_LIKE=debian\n',
    'opt/app/node_modules/left-pad/package.json': '{}',
    'opt/app/node_modules/@scope/name/package.json': '{}',
    'usr/share/nodejs/node_modules/ours/package.json': '{}',
    'var/lib/dpkg/info/zlib1g:amd64.list': '/usr/share/nodejs/node_modules/ours/package.json\n',
  };
  const { subject, unread = [] } = await readSubject(await tree(files));
  assert.equal(subject.codename, '');
  assert.match(unread.join('\n'), /cannot be read: Bad_Name 1\n2 packages of npm lie in the root/);
  const empty = await readSubject(await tree({ 'var/lib/dpkg/status': '' }));
  assert.match(empty.unread?.join('\n') ?? '', /names no package/);
});

test('Go programs are found wherever they lie', async () => {
  const root = await tree({ 'var/lib/dpkg/status': STATUS, coredns: Buffer.alloc(600_000) });
  // An ELF file with the mark of Go and nothing readable in it.
  await writeFile(
    join(root, 'coredns'),
    Buffer.concat([Buffer.from('\x7fELF.go.buildinfo'), Buffer.alloc(600_000)]),
    {
      mode: 0o755,
    },
  );
  await chmod(join(root, 'coredns'), 0o755);
  assert.match(
    (await readSubject(root)).unread?.join('\n') ?? '',
    /\/coredns is a program that cannot be read/,
  );
});

test('a release whose papers are not what SHA256SUMS says is refused', async () => {
  const manifest = JSON.stringify({
    ...{
      format: 1,
      name: 'plinth',
      version: '1',
      architecture: 'x86-64',
      created: '2026-11-20T00:00:00.000Z',
      rootHash: 'aa'.repeat(32),
    },
    kernel: { version: '6.12.1' },
  });
  const facts = JSON.stringify({
    format: 1,
    version: '1',
    files: [{ path: '/usr/lib/modules/6.12.1/a.ko', kind: 'file' }],
    kernelConfig: { EXT4_FS: 'y' },
  });
  const spdx = JSON.stringify(SPDX);
  const papers = { 'p.manifest.json': manifest, 'p.facts.json': facts, 'p.spdx.json': spdx };
  const sums = Object.entries(papers)
    .map(([name, text]) => `${hashText(text)}  ${name}\n`)
    .join('');
  const good = await readSubject(await tree({ ...papers, SHA256SUMS: sums }));
  assert.equal(good.kernel?.config?.['CONFIG_EXT4_FS'], 'y');
  const strange = await tree({ ...papers, 'p.spdx.json': '{"spdxVersion":"SPDX-2.3"}' });
  assert.equal(await codeOf(readSubject(strange)), 'advisory/subject-invalid');
  const bad = await tree({ ...papers, SHA256SUMS: sums, 'p.spdx.json': spdx.replace('0.30.0', '0.99.0') });
  assert.equal(await codeOf(readSubject(bad)), 'advisory/subject-invalid');
});

test('what cannot be read is refused with its own code', async () => {
  const folder = await tree({
    'deep.json': `{"spdxVersion": ${'['.repeat(1000)}`,
    'latin.json': Buffer.from([0x7b, 0x22, 0xe9, 0x22, 0x7d]),
    'cut.json': '{"spdxVersion": "SPDX-2.3", "packa',
    'old.json': '{"spdxVersion": "SPDX-2.1", "name": "x", "packages": []}',
    'strange.json': '{"a": 1}',
  });
  const code = (name: string) => codeOf(readSubject(join(folder, name)));
  for (const name of ['deep.json', 'latin.json', 'cut.json', 'old.json'])
    assert.equal(await code(name), 'advisory/subject-invalid', name);
  for (const name of ['strange.json', '.', 'nothing'])
    assert.equal(await code(name), 'advisory/subject-unknown', name);
  assert.equal(await codeOf(readSubject('/dev/null')), 'advisory/subject-invalid');
});

test('parsers take any text without throwing', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      parsePackageUrl(`pkg:${text}`);
      parseStatus(`Package: ${text}\nVersion: ${text}\nSource: ${text}\nBuilt-Using: ${text}\n`, 's');
    }),
  );
});

test('a release tells which statements about it were not so when it was built', () => {
  const paper = (name: string, value: object) => {
    const text = JSON.stringify(value);
    return { name, text, sha256: hashText(text) };
  };
  const statement = (id: string, holds: string) => ({
    ...{ id, justification: 'component_not_present', predicate: { kind: 'path-absent', paths: ['/x'] } },
    outcome: { holds, detail: `asked: ${holds}` },
  });
  const manifest = {
    ...{ format: 1 as const, name: 'plinth', version: '1', architecture: 'x86-64' },
    ...{ created: '2026-11-22T00:00:00Z', rootHash: 'ab'.repeat(32) },
    kernel: { version: '6.12', commandLine: 'quiet module_blacklist=dccp,n-hdlc' },
  };
  const facts = { format: 1, version: '1', files: [], kernelConfig: {} };
  const inventory = inventoryOfPapers(manifest, {
    spdx: paper('s', SPDX),
    facts: paper('f', { ...facts, kernelModules: { builtin: ['ext4'], denied: ['tipc'] } }),
    vex: paper('v', {
      ...{ format: 1, askedFor: '2026-11-22T00:00:00.000Z' },
      statements: [
        ...[statement('CVE-2026-0001', 'no'), statement('CVE-2026-0001', 'yes')],
        ...[statement('CVE-2026-0002', 'no'), statement('CVE-2026-0003', 'unknown')],
      ],
    }),
  });
  assert.deepEqual(
    inventory.gaps.filter((gap) => gap.startsWith('what is said')),
    ['what is said of CVE-2026-0002 does not hold: asked: no'],
  );
  assert.equal(inventory.statements?.length, 4);
  assert.deepEqual(inventory.kernel?.denied, ['dccp', 'n_hdlc', 'tipc']);
});
