import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  addPeSection,
  encodeText,
  hex,
  makeVerity,
  memoryReader,
  predictPcr11,
  readCpio,
  readElf,
  readGpt,
  readUki,
  verifyVerity,
  writeCpio,
} from '@plinth/formats';
import { openToolbox } from '@plinth/toolbox';

// Our reading and writing of byte formats against the tools everyone uses, run from the toolbox.

const toolbox = await openToolbox();
const dir = await mkdtemp(join(tmpdir(), 'plinth-formats-'));
const binds = [{ host: dir, inside: '/mnt/work' }];
const tool = (program: string, ...args: string[]) => toolbox.run(program, args, { binds, cwd: '/mnt/work' });
const file = (name: string) => join(dir, name);

/** Repeatable bytes that do not compress or repeat. */
function noise(sizeBytes: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(sizeBytes / 4));
  let state = 0x2545f491;
  for (let index = 0; index < words.length; index++) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, sizeBytes);
}

test('readElf agrees with readelf on the libraries of the toolbox', async () => {
  const folder = '/usr/lib/x86_64-linux-gnu';
  const names = (await readdir(join(toolbox.root, folder), { withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.includes('.so'))
    .map(({ name }) => name);
  assert.ok(names.length > 50);
  const { stdout } = await toolbox.run('readelf', ['-dnW', ...names.map((name) => `${folder}/${name}`)]);
  const reports = new Map(
    stdout
      .toString()
      .split('\nFile: ')
      .slice(1)
      .map((report) => [report.split('\n')[0] ?? '', report]),
  );
  for (const name of names) {
    const report = reports.get(`${folder}/${name}`);
    const elf = readElf(await readFile(join(toolbox.root, folder, name)), name);
    assert.ok(report && elf, name);
    const all = (pattern: RegExp) => [...report.matchAll(pattern)].map((match) => match[1]);
    assert.deepEqual(elf.needed, all(/\(NEEDED\)\s+Shared library: \[(.*)\]/g), name);
    assert.deepEqual(
      elf.soname === undefined ? [] : [elf.soname],
      all(/\(SONAME\)\s+Library soname: \[(.*)\]/g),
      name,
    );
    assert.deepEqual(elf.buildId === undefined ? [] : [elf.buildId], all(/Build ID: ([0-9a-f]+)/g), name);
  }
});

test('cpio lists and unpacks what writeCpio wrote, and readCpio reads what cpio writes', async () => {
  const entries = [
    { kind: 'directory', path: 'tmp', mode: 0o1777 },
    { kind: 'file', path: 'etc/verity/root.p7s', mode: 0o644, data: noise(1001) },
    { kind: 'symlink', path: 'init', target: 'usr/lib/systemd/systemd' },
  ] as const;
  await writeFile(file('ours.cpio'), writeCpio(entries, { mtimeSeconds: 1_763_700_000 }));
  const listing = (
    await toolbox.run('cpio', ['-itvn', '--file=/mnt/work/ours.cpio'], { binds })
  ).stdout.toString();
  assert.match(listing, /^drwxrwxrwt .* tmp$/m);
  assert.match(listing, /^-rw-r--r-- +1 0 +0 +1001 .* etc\/verity\/root\.p7s$/m);
  assert.match(listing, /^lrwxrwxrwx .* init -> usr\/lib\/systemd\/systemd$/m);
  await tool('mkdir', 'tree');
  await toolbox.run('cpio', ['-idm', '--quiet', '--file=/mnt/work/ours.cpio'], {
    binds,
    cwd: '/mnt/work/tree',
  });
  await toolbox.run('cpio', ['-o', '-H', 'newc', '--quiet', '--file=/mnt/work/theirs.cpio'], {
    binds,
    cwd: '/mnt/work/tree',
    input: 'etc\netc/verity\netc/verity/root.p7s\ninit\ntmp\n',
  });
  assert.deepEqual(
    readCpio(await readFile(file('theirs.cpio'))).entries,
    readCpio(await readFile(file('ours.cpio'))).entries,
  );
});

test('makeVerity writes the very bytes of veritysetup', async () => {
  for (const blocks of [1, 129, 16_385]) {
    const data = noise(blocks * 4096);
    const [salt, uuid] = [noise(32), '6c1ba2e2-6f7e-4c7d-9d3a-0b6a9fd0a001'];
    await writeFile(file('data'), data);
    await tool('rm', '-f', 'hash');
    const { stdout } = await tool(
      'veritysetup',
      'format',
      'data',
      'hash',
      `--salt=${hex(salt)}`,
      `--uuid=${uuid}`,
    );
    const device = await makeVerity(memoryReader(data), { salt, uuid });
    const theirs = await readFile(file('hash'));
    assert.ok(theirs.equals(device.bytes), `${blocks} blocks`);
    assert.match(stdout.toString(), new RegExp(`Root hash:\\s+${device.rootHash}`));
    assert.equal((await verifyVerity(memoryReader(data), theirs, device.rootHash)).verdict, 'pass');
    await tool('veritysetup', 'verify', 'data', 'hash', device.rootHash);
  }
});

test('readGpt agrees with sgdisk', async () => {
  await tool('truncate', '-s', '64M', 'disk');
  const flags = ['-A2:set:60', '-A2:set:63', '-A5:set:59'];
  await tool(
    'sgdisk',
    '-n1:2048:+8M',
    '-t1:ef00',
    '-c1:ESP',
    '-n2:0:+16M',
    '-t2:8304',
    '-c2:plinth_1',
    '-n5:0:0',
    '-t5:8310',
    '-c5:var',
    ...flags,
    'disk',
  );
  const { partitions } = await readGpt(memoryReader(await readFile(file('disk'))));
  assert.deepEqual(
    partitions.map(({ number, typeName, label, flags: set }) => [number, typeName, label, set]),
    [
      [1, 'esp', 'ESP', { growFileSystem: false, readOnly: false, noAuto: false }],
      [2, 'root-x86-64', 'plinth_1', { growFileSystem: false, readOnly: true, noAuto: true }],
      [5, 'var', 'var', { growFileSystem: true, readOnly: false, noAuto: false }],
    ],
  );
  for (const { number, firstLba, lastLba, uuid } of partitions) {
    const report = (await tool('sgdisk', `-i${number}`, 'disk')).stdout.toString();
    assert.match(report, new RegExp(`First sector: ${firstLba} `));
    assert.match(report, new RegExp(`Last sector: ${lastLba} `));
    assert.match(report, new RegExp(`unique GUID: ${uuid}`, 'i'));
  }
});

test('readUki and predictPcr11 agree with ukify and systemd-measure', async () => {
  const efi = '/usr/lib/systemd/boot/efi';
  await writeFile(file('initrd'), noise(77_001));
  await writeFile(file('osrel'), 'ID=plinth\nVERSION_ID=1\n');
  const inputs = ['--linux', `${efi}/systemd-bootx64.efi`, '--stub', `${efi}/linuxx64.efi.stub`];
  inputs.push(
    '--initrd',
    'initrd',
    '--os-release',
    '@osrel',
    '--uname',
    '6.12.0',
    '--cmdline',
    'ro roothash=ab',
  );
  const build = (...more: string[]) => tool('ukify', 'build', ...inputs, ...more);
  const measured = await build('--pcr-banks=sha256', '--measure', '--output', 'uki.efi');
  const uki = readUki(await readFile(file('uki.efi')));
  assert.equal(uki.cmdline, 'ro roothash=ab');
  assert.equal(uki.osRelease, 'ID=plinth\nVERSION_ID=1\n');
  assert.deepEqual(
    [...measured.stdout.toString().matchAll(/11:sha256=([0-9a-f]{64})/g)].map((match) => match[1]),
    predictPcr11(uki.sections).map(({ value }) => hex(value)),
  );
  const inspected: unknown = JSON.parse(
    (await tool('ukify', 'inspect', 'uki.efi', '--json=short')).stdout.toString(),
  );
  for (const [name, section] of Object.entries(inspected ?? {})) {
    const content = uki.sections.get(name);
    assert.equal(content?.length, section.size, name);
  }
  const signatures = '{"sha256":[]}';
  await writeFile(file('pcrsig'), signatures);
  await build('--section=.pcrsig:@pcrsig', '--output', 'theirs.efi');
  const ours = addPeSection(await readFile(file('uki.efi')), '.pcrsig', encodeText(signatures));
  assert.ok((await readFile(file('theirs.efi'))).equals(ours), 'addPeSection differs from ukify');
});
