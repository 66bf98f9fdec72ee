import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { addPeSection, encodeText } from '@plinth/formats';
import { openToolbox } from '@plinth/toolbox';
import fc from 'fast-check';
import { VERSIONS } from '../channel/channel.testing.ts';
import { bootEntryName, parseBootEntryName, stagedEntryName } from './boot-entry-name.ts';
import { bootOrder } from './testing/model-boot.ts';

// Plans rely on which entry the boot loader takes. bootctl lists entries in the order of systemd-boot.

const toolbox = await openToolbox();
const dir = await mkdtemp(join(tmpdir(), 'plinth-boot-order-'));
after(() => rm(dir, { recursive: true }));
const linux = join(dir, 'EFI/Linux');
const stub = await readFile(join(toolbox.root, 'usr/lib/systemd/boot/efi/linuxx64.efi.stub'));

function uki(version: string): Uint8Array {
  const release = `ID=plinth\nIMAGE_ID=plinth\nIMAGE_VERSION=${version}\nPRETTY_NAME="Plinth ${version}"\n`;
  const named = addPeSection(new Uint8Array(stub), '.osrel', encodeText(release));
  return addPeSection(addPeSection(named, '.cmdline', encodeText('quiet')), '.linux', new Uint8Array(512));
}

/** File names of EFI/Linux in the order of the boot loader. */
async function bootctl(files: Readonly<Record<string, Uint8Array>>): Promise<string[]> {
  await rm(linux, { recursive: true, force: true });
  await mkdir(linux, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(linux, name), bytes);
  const { stdout } = await toolbox.run(
    'bootctl',
    ['list', '--json=short', '--no-pager', '--esp-path=/mnt/work'],
    { binds: [{ host: dir, inside: '/mnt/work' }], env: { SYSTEMD_RELAX_ESP_CHECKS: '1' } },
  );
  const listed: readonly {
    readonly path: string;
    readonly triesLeft?: number;
    readonly triesDone?: number;
  }[] = JSON.parse(stdout.toString());
  for (const { path, triesLeft, triesDone } of listed) {
    const ours = parseBootEntryName(basename(path));
    assert.deepEqual([ours?.triesLeft, ours?.triesDone], [triesLeft, triesDone], path);
  }
  return listed.map(({ path }) => basename(path));
}

test('entries come in the order that bootctl lists, with the counters it reads', async () => {
  const counters = fc.option(fc.record({ triesLeft: fc.nat(3), triesDone: fc.nat(3) }), { nil: undefined });
  const sets = fc.uniqueArray(fc.tuple(fc.constantFrom(...VERSIONS), counters), {
    selector: ([version]) => version,
    minLength: 2,
    maxLength: 6,
  });
  for (const set of fc.sample(sets, { numRuns: 12, seed: 1 })) {
    // The version is in the UKI. File names are numbers here: bootctl, other than systemd-boot, lists no name with "~" or "^".
    const named = set.map(([version, counted], index) => ({
      version,
      file: bootEntryName(`${index}`, counted),
    }));
    const files = Object.fromEntries(named.map(({ version, file }) => [file, uki(version)]));
    const entries = named.map(({ version, file }) => ({ file, ...parseBootEntryName(file), version }));
    const ours = bootOrder(entries).map(({ file }) => file);
    assert.deepEqual(ours, await bootctl(files));
  }
});

test('a staged UKI and an empty file are not in the list', async () => {
  const files = {
    [bootEntryName('1.0')]: uki('1.0'),
    [stagedEntryName('2.0')]: uki('2.0'),
    [bootEntryName('3.0')]: new Uint8Array(),
  };
  assert.deepEqual(await bootctl(files), [bootEntryName('1.0')]);
});
