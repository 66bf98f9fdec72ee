import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { openToolbox } from '@plinth/toolbox';
import { renderVolume, volumePlace, volumeUnit } from './render.ts';
import { volumeSchema } from './schema.ts';

// Our files in the hands of the systemd of the node: systemd-analyze verify, systemd-escape and systemd-repart.

const toolbox = await openToolbox();
const dir = await mkdtemp(join(tmpdir(), 'plinth-volume-'));
after(() => rm(dir, { recursive: true }));

const names = ['a', 'data', 'a-b', 'a-name-of-22-characters'.slice(0, 22), '0-1--2'];
const volumes = names.map((name) =>
  volumeSchema.parse({
    name,
    disk: { largestEmpty: true },
    options: name === 'a' ? ['exec', 'noatime'] : [],
  }),
);

async function inToolbox(script: string, files: readonly { name: string; text: string }[]) {
  const folder = await mkdtemp(join(dir, 'run-'));
  for (const { name, text } of files) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const { stdout, stderr } = await toolbox.run('sh', ['-c', script], {
    binds: [{ host: folder, inside: '/mnt/files', readOnly: true }],
  });
  return `${stdout}${stderr}`;
}

const units = volumes.flatMap((volume) =>
  renderVolume(volume)
    .filter(({ path }) => path.endsWith('.mount'))
    .map(({ path, text }) => ({ name: basename(path), text })),
);
const VERIFY = `mkdir -p /run/units; cp /mnt/files/* /run/units
for unit in /run/units/*; do systemd-analyze verify --man=no --generators=no "$unit" 2>&1; done; true`;

/** What systemd says of our units; the toolbox lacks some of what they come before. */
async function verify(files: readonly { name: string; text: string }[]): Promise<string> {
  const said = await inToolbox(VERIFY, files);
  return said
    .split('\n')
    .filter((line) => line.includes('var-mnt-'))
    .join('\n');
}

test('systemd has nothing to say about the mount units', { timeout: 60_000 }, async () => {
  assert.equal(units.length, names.length);
  assert.equal(await verify(units), '');
});

test('systemd would say so if a unit were wrong', { timeout: 60_000 }, async () => {
  const [unit] = units.filter(({ name }) => name === 'var-mnt-data.mount');
  assert.ok(unit);
  assert.match(
    await verify([{ ...unit, text: unit.text.replace('/var/mnt/data', '/var/mnt/other') }]),
    /doesn't match unit name|Where=/,
  );
  assert.match(await verify([{ ...unit, text: unit.text.replace('Options=', 'Opt=') }]), /Unknown key/);
});

test('the units have the names that systemd gives to their places', { timeout: 60_000 }, async () => {
  const said = await inToolbox(`systemd-escape --path ${names.map(volumePlace).join(' ')}`, []);
  assert.deepEqual(said.trim().split(/\s+/), names.map(volumeUnit));
});

test('systemd-repart makes of the definition one ext4 with the label of the volume', {
  timeout: 120_000,
}, async () => {
  const [volume] = volumes.filter(({ name }) => name === 'a-b');
  assert.ok(volume);
  const [definition] = renderVolume(volume).filter(({ path }) => path.endsWith('volume.conf'));
  assert.ok(definition);
  const said = await inToolbox(
    `cd /tmp && truncate -s 128M disk
systemd-repart --dry-run=no --empty=require --seed=random --no-pager --definitions=/mnt/files/d $PWD/disk >/dev/null 2>&1
dd if=disk of=part bs=1M skip=1 count=126 2>/dev/null
blkid --probe --output export disk; blkid --probe --output export part; e2fsck -fn part >/dev/null 2>&1; echo check=$?
systemd-repart --empty=refuse --no-pager --json=short --definitions=/mnt/files/d $PWD/disk 2>/dev/null`,
    [{ name: 'd/volume.conf', text: definition.text }],
  );
  assert.match(said, /^PTTYPE=gpt$/m);
  assert.match(said, /^TYPE=ext4$/m);
  assert.match(said, /^LABEL=plinth-volume-a-$/m);
  assert.match(said, /"label"\s*:\s*"plinth-volume-a-b"/);
});
