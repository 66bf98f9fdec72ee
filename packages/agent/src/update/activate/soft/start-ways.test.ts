import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { bootEntryName, type SlotDisk, stagedEntryName } from '@plinth/updates';
import { type FakeMachine, fakeSys } from '../../../testing/fake-sys.ts';
import { openStartWays } from './open-start-ways.ts';

const SECURE_BOOT = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';
const RELEASE = '6.12.107+deb13-cloud-amd64';
const [OLD_HASH, NEW_HASH] = ['1'.repeat(64), '2'.repeat(64)];
const commandLine = (hash: string) => `root=/dev/mapper/root ro quiet roothash=${hash}`;
const osRelease = (version: string, setup = 'aaaa') => `VERSION=${version}\nPLINTH_START_SETUP=${setup}\n`;

/** A program for firmware with the given sections, as UAPI.5 lays a UKI out. */
function uki(sections: Readonly<Record<string, string>>): Buffer {
  const names = Object.entries(sections);
  const file = Buffer.alloc(4096 + names.length * 4096);
  file.writeUInt16LE(0x5a4d, 0);
  file.writeUInt32LE(64, 0x3c);
  file.writeUInt32LE(0x4550, 64);
  file.writeUInt16LE(names.length, 70);
  file.writeUInt16LE(240, 84);
  file.writeUInt16LE(0x20b, 88);
  file.writeUInt32LE(4096, 88 + 32);
  file.writeUInt32LE(512, 88 + 36);
  file.writeUInt32LE(4096, 88 + 60);
  file.writeUInt32LE(16, 88 + 108);
  for (const [index, [name, text]] of names.entries()) {
    const header = 88 + 240 + index * 40;
    file.write(name, header);
    file.writeUInt32LE(Buffer.byteLength(text), header + 8);
    file.writeUInt32LE(4096 * (index + 1), header + 12);
    file.writeUInt32LE(4096, header + 16);
    file.writeUInt32LE(4096 * (index + 1), header + 20);
    file.write(text, 4096 * (index + 1));
  }
  return file;
}

const sections = (version: string, hash: string) => ({
  '.linux': 'the kernel',
  '.uname': RELEASE,
  '.cmdline': `${commandLine(hash)}\0`,
  '.osrel': osRelease(version),
  '.initrd': `another one in each version: ${version}`,
});

const disk: SlotDisk = {
  slots: [
    { name: 'a', version: '1.0', rootHash: OLD_HASH },
    { name: 'b', version: '1.1', rootHash: NEW_HASH },
  ],
  entries: [{ file: bootEntryName('1.0'), version: '1.0' }],
  staged: { version: '1.1' },
  booted: { slot: 'a', version: '1.0' },
};

interface Change {
  readonly next?: Readonly<Record<string, string>>;
  readonly files?: FakeMachine['files'];
  readonly disk?: Partial<SlotDisk>;
  readonly gone?: string;
}

function world(change: Change = {}) {
  let reads = 0;
  const esp = new Map([
    [bootEntryName('1.0'), uki(sections('1.0', OLD_HASH))],
    [stagedEntryName('1.1'), uki({ ...sections('1.1', NEW_HASH), ...change.next })],
  ]);
  if (change.gone) esp.delete(change.gone);
  const ways = openStartWays({
    sys: fakeSys({
      files: {
        [SECURE_BOOT]: Buffer.from([6, 0, 0, 0, 1]),
        '/proc/sys/kernel/osrelease': `${RELEASE}\n`,
        '/proc/cmdline': `${commandLine(OLD_HASH)}\n`,
        '/usr/lib/os-release': osRelease('1.0'),
        ...change.files,
      },
    }),
    esp: async () => ({
      list: async () => [...esp].map(([name, { length }]) => ({ name, sizeBytes: length })),
      async read(name, offset, lengthBytes) {
        reads++;
        const bytes = esp.get(name);
        assert.ok(bytes);
        return bytes.subarray(offset, offset + lengthBytes);
      },
    }),
  });
  return { reads: () => reads, way: () => ways.startWay({ ...disk, ...change.disk }, '1.1') };
}

async function reasons(change: Change): Promise<string> {
  const found = await world(change).way();
  return found.way === 'reboot' ? found.reasons.join('; ') : 'none';
}

suite('openStartWays', () => {
  test('two images that differ in root hash and initrd: by soft-reboot', async () => {
    assert.deepEqual(await world().way(), { way: 'soft-reboot' });
  });

  test('what was read of a file is remembered', async () => {
    const { way, reads } = world();
    await way();
    const before = reads();
    await way();
    assert.equal(reads(), before);
  });

  test('another kernel, other arguments, another set-up', async () => {
    assert.match(await reasons({ next: { '.linux': 'another kernel' } }), /another build of kernel/);
    assert.match(await reasons({ next: { '.uname': '6.13.0' } }), /kernel 6\.12\S+ → 6\.13\.0/);
    assert.match(
      await reasons({ next: { '.cmdline': `${commandLine(NEW_HASH)} debug` } }),
      /arguments added: debug/,
    );
    assert.match(await reasons({ next: { '.osrel': osRelease('1.1', 'bbbb') } }), /lays out the system/);
    assert.match(await reasons({ next: { '.ucode': 'new microcode' } }), /other microcode/);
  });

  test('the kernel that runs is asked, not only its image on the ESP', async () => {
    assert.match(
      await reasons({ files: { '/proc/sys/kernel/osrelease': '6.11.0\n' } }),
      /kernel 6\.11\.0 → 6\.12/,
    );
    assert.match(
      await reasons({ files: { '/proc/cmdline': `${commandLine(OLD_HASH)} nosmt\n` } }),
      /arguments removed: nosmt/,
    );
  });

  test('an image for another root than the slot holds is none for a soft-reboot', async () => {
    assert.match(
      await reasons({ next: { '.cmdline': commandLine('3'.repeat(64)) } }),
      /for another root than its slot holds/,
    );
  });

  test('without Secure Boot, on trial, and where a file is gone or cut off', async () => {
    assert.match(await reasons({ files: { [SECURE_BOOT]: Buffer.from([6, 0, 0, 0, 0]) } }), /Secure Boot/);
    const entries = [
      { file: bootEntryName('1.0', { triesLeft: 2, triesDone: 1 }), version: '1.0', triesLeft: 2 },
    ];
    assert.match(await reasons({ disk: { entries } }), /runs on trial/);
    assert.match(await reasons({ gone: bootEntryName('1.0') }), /cannot be read/);
    assert.match(await reasons({ gone: stagedEntryName('1.1') }), /cannot be read/);
    assert.match(await reasons({ next: { '.linux': 'x'.repeat(5000) } }), /another build/);
  });
});
