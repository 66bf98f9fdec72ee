import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openToolbox } from '@plinth/toolbox';
import { allowedSysctls } from './allowed.ts';
import { renderSysctls, SYSCTLS_PATH } from './render.ts';
import { sysctlsSchema } from './schema.ts';

// Our file and that of the image in the hands of the node's systemd-sysctl. It sets only what belongs to a network of
// its own: the rest of the kernel is that of this machine.

const OF_NETWORK = 'net.ipv4.';
/** Known to a kernel's first network only. */
const OF_FIRST_NETWORK = 'net.ipv4.neigh.';
const toolbox = await openToolbox();
const skip = toolbox.isolation === 'root' ? false : 'the settings of a network need root';
const ofImage = fileURLToPath(new URL('../../../../../os/sysctl.d', import.meta.url));
const dir = await mkdtemp(join(tmpdir(), 'plinth-sysctl-'));
after(() => rm(dir, { recursive: true }));

const SCRIPT = `mkdir -p /run/sysctl.d
cp /mnt/files/* /run/sysctl.d
/usr/lib/systemd/systemd-sysctl --strict "$@"
cd /proc/sys
for file in $READ; do echo "$file $(cat $file)"; done`;

/** Gives the files to systemd-sysctl and tells what the kernel has then, by path below /proc/sys. */
async function apply(name: string, text: string, paths: readonly string[]): Promise<string> {
  const folder = join(dir, name);
  await mkdir(folder);
  await writeFile(join(folder, basename(SYSCTLS_PATH)), text);
  const { stdout } = await toolbox.run(
    'sh',
    ['-c', SCRIPT, 'sh', ...paths.map((path) => `--prefix=${path}`)],
    {
      binds: [
        { host: folder, inside: '/mnt/files', readOnly: true },
        { host: ofImage, inside: '/usr/lib/sysctl.d', readOnly: true },
      ],
      env: { READ: paths.join(' ') },
    },
  );
  return stdout.toString();
}

test('the kernel takes the least and the most of every setting of a network', { skip }, async () => {
  const some = allowedSysctls.filter(
    ({ key }) => key.startsWith(OF_NETWORK) && !key.startsWith(OF_FIRST_NETWORK),
  );
  assert.ok(some.length > 10);
  for (const bound of ['least', 'most'] as const) {
    const values = some.map(({ key, numbers, ...limits }) => {
      // A range of ports with one port only is refused by newer kernels: a pair takes both bounds.
      const pair = [limits.least, limits.most];
      return [
        key,
        numbers === undefined ? limits[bound] : numbers === 2 ? pair : Array(numbers).fill(limits[bound]),
      ];
    });
    const [file] = renderSysctls(sysctlsSchema.parse({ settings: Object.fromEntries(values) }));
    const paths = some.map(({ key }) => key.replaceAll('.', '/'));
    const seen = (await apply(bound, file?.text ?? '', paths)).trim().split('\n');
    assert.deepEqual(
      seen.map((line) => line.replaceAll(/\s+/g, ' ')),
      values.map(([key, value]) => `${String(key).replaceAll('.', '/')} ${[value].flat().join(' ')}`),
    );
  }
});

test('what the config says counts, not what the image says', { skip }, async () => {
  const path = 'net/ipv4/conf/all/rp_filter';
  const [file] = renderSysctls({ settings: { 'net.ipv4.conf.all.rp_filter': 1 } });
  assert.equal(await apply('own', file?.text ?? '', [path]), `${path} 1\n`);
  assert.equal(await apply('image', '', [path]), `${path} 2\n`);
});
