import assert from 'node:assert/strict';
import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { openToolbox } from '@plinth/toolbox';
import fc from 'fast-check';
import { readRange } from '../sys/read-file.ts';
import { BLKID, piecesToProve, proveBlank } from './prove-blank.ts';

// What the tools of others leave on a disk must be seen, by libblkid or by our own look.

const MIB = 1024 * 1024;
const SIZE = 96 * MIB;
const toolbox = await openToolbox();
const dir = await mkdtemp(join(tmpdir(), 'plinth-blank-'));
after(() => rm(dir, { recursive: true }));

const binds = [{ host: dir, inside: '/mnt/disks' }];
let libblkid = true;
const sys = {
  readRange,
  async run(_program: string, args: readonly string[]) {
    if (!libblkid) return { exitCode: 2, stdout: '', stderr: '' };
    const inside = args.map((each) => (each.startsWith(dir) ? `/mnt/disks/${basename(each)}` : each));
    const script = 'code=0; "$@" || code=$?; echo "code=$code"';
    const { stdout } = await toolbox.run('sh', ['-c', script, 'sh', BLKID, ...inside], { binds });
    const text = String(stdout);
    return {
      exitCode: Number(/code=(\d+)/.exec(text)?.[1]),
      stdout: text.replace(/^code=.*\n/m, ''),
      stderr: '',
    };
  },
};

async function newDisk(name: string, sizeBytes = SIZE): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, '');
  await truncate(path, sizeBytes);
  return path;
}

async function put(path: string, offset: number, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, offset);
  await file.close();
}

test('a disk of zeros is blank', { timeout: 60_000 }, async () => {
  assert.equal(await proveBlank(sys, await newDisk('zeros'), SIZE), undefined);
});

for (const [what, command, said] of [
  ['ext4', ['mkfs.ext4', '-q'], /data of the kind ext4/],
  ['FAT', ['mkfs.vfat'], /of the kind vfat/],
  ['swap', ['mkswap'], /data of the kind swap/],
  [
    'LUKS',
    [
      'cryptsetup',
      'luksFormat',
      '--batch-mode',
      '--pbkdf=pbkdf2',
      '--pbkdf-force-iterations=1000',
      '--key-file=/etc/os-release',
    ],
    /data of the kind crypto_LUKS/,
  ],
  [
    'a partition table',
    ['systemd-repart', '--empty=force', '--dry-run=no', '--definitions=/var/empty'],
    /a partition table of the kind gpt/,
  ],
] as const) {
  test(`a disk with ${what} is not blank, neither for libblkid nor for our own look`, {
    timeout: 120_000,
  }, async (t) => {
    const path = await newDisk(what.replaceAll(' ', '-'));
    const [program, ...args] = command;
    await toolbox.run('mkdir', ['-p', '/var/empty']).catch(() => {});
    await toolbox.run(program, [...args, `/mnt/disks/${basename(path)}`], { binds });
    assert.match((await proveBlank(sys, path, SIZE)) ?? '', said);
    assert.match((await proveBlank(sys, path, SIZE, true)) ?? '', said, 'also where a volume was begun');
    libblkid = false;
    t.after(() => {
      libblkid = true;
    });
    assert.match((await proveBlank(sys, path, SIZE)) ?? '', /^there is data at byte \d+/);
  });
}

test('data of no known kind is found at the beginning and at the end', { timeout: 60_000 }, async () => {
  for (const offset of [0, 511, 16 * MIB - 1, SIZE - 16 * MIB, SIZE - 1]) {
    const path = await newDisk(`byte-${offset}`);
    await put(path, offset, Buffer.from([1]));
    assert.match((await proveBlank(sys, path, SIZE)) ?? '', new RegExp(`^there is data at byte ${offset},`));
    assert.equal(dirname(path), dir);
  }
});

test('random bytes are found wherever they fill a disk', { timeout: 60_000 }, async () => {
  const path = await newDisk('random-middle');
  await put(path, 20 * MIB, Buffer.alloc(20 * MIB, 0xa5));
  assert.match((await proveBlank(sys, path, SIZE)) ?? '', /^there is data at byte/);
  assert.equal(
    await proveBlank(sys, path, SIZE, true),
    undefined,
    'a volume that was begun may have left them',
  );
});

test('a disk that is shorter than it says is not blank', { timeout: 60_000 }, async () => {
  assert.match((await proveBlank(sys, await newDisk('short', SIZE - MIB), SIZE)) ?? '', /it ends after/);
});

test('the pieces lie on the disk, and hold both of its ends', () => {
  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 400_000 }).map((sectors) => sectors * 512),
    fc.integer({ min: 1, max: 40_000_000 }).map((each) => each * MIB),
  );
  fc.assert(
    fc.property(sizes, (sizeBytes) => {
      const pieces = piecesToProve(sizeBytes);
      assert.equal(pieces[0]?.offset, 0);
      let total = 0;
      for (const { offset, lengthBytes } of pieces) {
        assert.ok(lengthBytes > 0 && lengthBytes <= MIB && offset >= 0 && offset + lengthBytes <= sizeBytes);
        total += lengthBytes;
      }
      const last = pieces.at(-1);
      assert.equal((last?.offset ?? 0) + (last?.lengthBytes ?? 0), sizeBytes);
      assert.ok(total >= Math.min(sizeBytes, 32 * MIB) && total <= 48 * MIB);
    }),
    { numRuns: 300 },
  );
});
