import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCommandLine } from './command-line.ts';
import { parseEfiByte, parseEfiText } from './efi-variable.ts';
import { parseKeyValues } from './key-values.ts';
import { isWritable, mountHolding, parseMountInfo, visibleMounts } from './mountinfo.ts';
import { parseOemStrings } from './smbios.ts';
import { parseVerityStatus, parseVerityTable } from './verity-table.ts';

const HASH = 'ab'.repeat(32);
const TABLE = `0 221184 verity 1 253:2 253:3 4096 4096 27648 1 sha256 ${HASH} ${'cd'.repeat(32)} 3 panic_on_corruption root_hash_sig_key_desc cryptsetup:e5a1-root`;

test('parseVerityTable reads a signed root', () => {
  assert.deepEqual(parseVerityTable(TABLE), {
    dataDevice: '253:2',
    hashDevice: '253:3',
    algorithm: 'sha256',
    rootHash: HASH,
    options: ['panic_on_corruption', 'root_hash_sig_key_desc', 'cryptsetup:e5a1-root'],
    signatureKey: 'cryptsetup:e5a1-root',
  });
});

test('parseVerityTable takes a key only from the optional arguments that are counted', () => {
  const uncounted = TABLE.replace(' 3 panic_on_corruption', ' 0');
  assert.equal(parseVerityTable(uncounted)?.signatureKey, undefined);
});

for (const [what, line] of [
  ['a linear device', '0 8192 linear 253:2 0'],
  ['two targets', `${TABLE}\n${TABLE}`],
  ['a hash that is not hexadecimal', TABLE.replace(HASH, 'zz'.repeat(32))],
  ['nothing', ''],
] as const) {
  test(`parseVerityTable refuses ${what}`, () => assert.equal(parseVerityTable(line), undefined));
}

test('parseVerityStatus knows V and C only', () => {
  assert.equal(parseVerityStatus('0 221184 verity V'), 'verified');
  assert.equal(parseVerityStatus('0 221184 verity C'), 'corrupted');
  assert.equal(parseVerityStatus('0 221184 verity ?'), undefined);
  assert.equal(parseVerityStatus('0 8192 linear'), undefined);
});

test("parseMountInfo undoes the kernel's escapes and skips optional fields", () => {
  const [mount] = parseMountInfo(
    '36 25 0:32 /a\\040b /mnt/x\\134y ro,noexec shared:1 master:2 - ext4 /dev/s\\011a rw,data=x\n',
  );
  assert.deepEqual(mount, {
    id: 36,
    device: '0:32',
    root: '/a b',
    target: '/mnt/x\\y',
    mountOptions: ['ro', 'noexec'],
    fileSystem: 'ext4',
    source: '/dev/s\ta',
    superOptions: ['rw', 'data=x'],
  });
});

test('parseMountInfo finds the mounts that findmnt finds on this machine', () => {
  const text = spawnSync('cat', ['/proc/self/mountinfo']).stdout.toString();
  const { stdout, error } = spawnSync('findmnt', ['--noheadings', '--raw', '--output', 'TARGET,FSTYPE']);
  assert.equal(error, undefined, 'findmnt is part of util-linux');
  const found = parseMountInfo(text).map(({ target, fileSystem }) => `${target} ${fileSystem}`);
  assert.deepEqual(found.toSorted(), stdout.toString().trim().split('\n').toSorted());
});

test('parseMountInfo takes any text', () => {
  fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseMountInfo(text))));
});

const MOUNTS = parseMountInfo(
  [
    '1 0 254:0 / / ro - erofs /dev/mapper/root ro',
    '2 1 0:5 / /var rw - autofs systemd-1 rw',
    '3 1 254:8 / /var rw,nosuid - ext4 /dev/vda8 rw',
    '4 1 0:7 / /variable ro - tmpfs x rw',
  ].join('\n'),
);

test('visibleMounts leaves out what a later mount covers', () => {
  assert.deepEqual(
    visibleMounts(MOUNTS).map(({ id }) => id),
    [1, 3, 4],
  );
});

test('mountHolding takes whole path components', () => {
  assert.equal(mountHolding(MOUNTS, '/var/lib')?.id, 3);
  assert.equal(mountHolding(MOUNTS, '/various')?.id, 1);
});

test('isWritable needs both the mount and the file system', () => {
  assert.deepEqual(MOUNTS.map(isWritable), [false, true, true, false]);
});

test('parseCommandLine keeps quoted blanks and the last of equal keys', () => {
  const line = parseCommandLine('ro roothash=ab dyndbg="file x +p" a=1 a=2 k=v=w\n');
  assert.deepEqual(Object.fromEntries(line), {
    ro: '',
    roothash: 'ab',
    dyndbg: 'file x +p',
    a: '2',
    k: 'v=w',
  });
});

test('parseKeyValues reads os-release', () => {
  const values = parseKeyValues('# c\nID=plinth\nPRETTY_NAME="Plinth \\"1\\""\nX=\'a b\'\n\nbroken\n');
  assert.deepEqual(Object.fromEntries(values), { ID: 'plinth', PRETTY_NAME: 'Plinth "1"', X: 'a b' });
});

test('parseEfiByte reads the byte after the attributes', () => {
  assert.equal(parseEfiByte(Uint8Array.of(6, 0, 0, 0, 1)), 1);
  assert.equal(parseEfiByte(Uint8Array.of(6, 0, 0, 0)), undefined);
});

test('parseEfiText ends at NUL', () => {
  const text = Buffer.concat([Buffer.from([6, 0, 0, 0]), Buffer.from('plinth_1+3.efi\0x', 'utf16le')]);
  assert.equal(parseEfiText(text), 'plinth_1+3.efi');
});

/** A structure: type, length of the formatted part, handle, its bytes, then the strings (DSP0134, 6.1). */
function structure(type: number, body: readonly number[], strings: readonly string[]): Buffer {
  const texts = strings.length === 0 ? '\0\0' : `${strings.join('\0')}\0\0`;
  return Buffer.concat([Buffer.from([type, 4 + body.length, 0, 0, ...body]), Buffer.from(texts, 'latin1')]);
}

test('parseOemStrings finds the strings of every type 11 structure', () => {
  const table = Buffer.concat([
    structure(0, [1, 2, 3], ['vendor']),
    structure(11, [2], ['one', 'two']),
    structure(17, [], []),
    structure(11, [1], ['three']),
    structure(127, [], []),
    structure(11, [1], ['after the end']),
  ]);
  assert.deepEqual(parseOemStrings(table), ['one', 'two', 'three']);
});

test('parseOemStrings ends on any damaged table', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
      Array.isArray(parseOemStrings(Buffer.from(bytes))),
    ),
  );
});
