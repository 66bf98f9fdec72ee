import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { openToolbox } from '@plinth/toolbox';
import fc from 'fast-check';
import { parse } from 'yaml';
import { links } from '../../testing/networks.ts';
import { networkKind } from './kind.ts';
import { renderNetwork } from './render.ts';
import { networkSchema } from './schema.ts';

// Our files in the hands of the systemd-networkd that reads them on a node, in a network of its own.

const FOLDER = '/etc/systemd/network';
const SECONDS = 3;
/** It is not root while it runs, and no systemd-tmpfiles made its folders. */
const SCRIPT = `mkdir -p /run/systemd/network /run/systemd/netif
cp /mnt/files/* /run/systemd/network
chmod -R a+rX /run/systemd/network
chown systemd-network: /run/systemd /run/systemd/netif
timeout ${SECONDS} /usr/lib/systemd/systemd-networkd 2>&1 || true`;
const toolbox = await openToolbox();
/** It changes to a user of its own, which a user namespace of one user does not have. */
const skip = toolbox.isolation === 'root' ? false : 'systemd-networkd has to be started as root';
const dir = await mkdtemp(join(tmpdir(), 'plinth-networkd-'));
after(() => rm(dir, { recursive: true }));

/** What systemd-networkd says of files while it loads them and makes the links they describe. */
async function load(name: string, files: ReadonlyMap<string, string>): Promise<string> {
  const folder = join(dir, name);
  await mkdir(folder);
  for (const [file, text] of files) await writeFile(join(folder, file), text);
  const { stdout, stderr } = await toolbox.run('sh', ['-c', SCRIPT], {
    binds: [{ host: folder, inside: '/mnt/files', readOnly: true }],
    env: { SYSTEMD_LOG_LEVEL: 'debug', SYSTEMD_LOG_TARGET: 'console' },
  });
  return `${stdout}${stderr}`;
}

/** The files for systemd-networkd, by name. */
function filesOf(network: unknown): ReadonlyMap<string, string> {
  return new Map(
    renderNetwork(networkSchema.parse(network))
      .filter(({ path }) => dirname(path) === FOLDER)
      .map(({ path, text }) => [basename(path), text]),
  );
}

async function assertLoads(name: string, files: ReadonlyMap<string, string>): Promise<void> {
  const said = await load(name, files);
  assert.match(said, /^Loaded\.$/m, said);
  for (const file of files.keys()) {
    const lines = said.split('\n').filter((line) => line.includes(`/${file}`));
    assert.deepEqual(
      lines,
      [`/run/systemd/network/${file}: Successfully loaded.`],
      `${said}\n${files.get(file)}`,
    );
  }
}

const { apiVersion: _version, kind: _kind, ...example } = parse(networkKind.example);

test('systemd-networkd loads every file of the example without a word about it', { skip }, async () => {
  await assertLoads('example', filesOf(example));
});

test('systemd-networkd loads the files of any network without a word about it', { skip }, async () => {
  // One start for all of them: each network's files get a number of their own.
  const networks = fc.sample(links, 40);
  const files = networks.flatMap((network, index) =>
    [...filesOf(network)].map(([name, text]): [string, string] => [
      `${index}-${name}`,
      text.replaceAll(/^(Name|VLAN|Bond)=/gm, `$1=n${index}`),
    ]),
  );
  assert.ok(files.length > 100, `${files.length} files`);
  await assertLoads('any', new Map(files));
});

test('systemd-networkd would say so if a key were wrong', { skip }, async () => {
  const [name = '', text = ''] = [...filesOf(example)].find(([, each]) => each.includes('DHCP=')) ?? [];
  const said = await load('bad', new Map([[name, text.replace('DHCP=', 'Dhcp6=')]]));
  assert.match(said, /Unknown key 'Dhcp6' in section \[Network\]/);
});
