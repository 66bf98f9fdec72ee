import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type MachineConfig, renderConfig } from '@plinth/config';
import { scratchFolder } from '@plinth/host/testing';
import { findGoComponent, loadGoComponents, readGoToolchainKey } from '@plinth/image';
import { cannotIsolate } from '../../testing/isolated-plinthd.ts';
import { startContainerd } from './testing/containerd.ts';
import { type RegistryOptions, startRegistry } from './testing/registry.ts';

// What a config says of registries, in the containerd of the node with its own settings; registries on this machine.

const repository = fileURLToPath(new URL('../../../../../', import.meta.url));
const component = (await loadGoComponents(join(repository, 'go'))).get('containerd');
const built =
  component && (await findGoComponent(component, await readGoToolchainKey(join(repository, 'os'))));
const containerd = built?.programs.get('containerd') ?? '';
const skip = (containerd === '' && 'containerd is not compiled on this machine') || cannotIsolate();

const USER = { username: 'node', password: 'kept secret: "yes"' };

function filesOf(config: Partial<MachineConfig>) {
  return renderConfig({
    machine: { name: 'node-1' },
    api: { clientAuthorities: [] },
    bootstrapContainers: [],
    volumes: [],
    ...config,
  }).filter(({ path }) => /^\/etc\/(containerd|ssl)\//.test(path));
}

type Entry = NonNullable<MachineConfig['registries']>['registries'][number];

function registries(...entries: (Pick<Entry, 'host'> & Partial<Entry>)[]): Pick<MachineConfig, 'registries'> {
  return { registries: { registries: entries.map((each) => ({ mirrors: [], fallback: true, ...each })) } };
}

test('registries of a machine config in the containerd of the node', {
  skip,
  timeout: 300_000,
}, async (t) => {
  const folder = await scratchFolder('registries');
  const open = (options: RegistryOptions) => startRegistry(folder, options);
  await using plain = await open({ name: 'plain.example', images: ['team/app', 'team/more'] });
  await using basic = await open({ name: 'basic.example', images: ['team/app'], user: USER });
  await using token = await open({ name: 'token.example', images: ['team/app'], user: USER, asks: 'Bearer' });
  await using mirror = await open({
    ...{ name: 'mirror.example', images: ['team/app'], user: USER },
    root: '/v2/proxy',
  });
  const all = [plain, basic, token, mirror];
  await using node = await startContainerd(containerd, [
    'plain.example',
    'basic.example',
    'token.example',
    'mirror.example',
  ]);
  const { cri } = node;
  const mirrorUrl = `https://mirror.example:${mirror.port}/v2/proxy`;
  const trusted = { certificateAuthority: plain.certificatePem };

  /** Gives the node these settings and no others, while containerd runs. */
  let before: readonly string[] = [];
  const give = async (config: Partial<MachineConfig>) => {
    const files = filesOf(config);
    for (const path of before) if (!files.some((file) => file.path === path)) await node.remove(path);
    await node.write(files);
    before = files.map(({ path }) => path);
    for (const { calls } of all) calls.length = 0;
  };

  await t.test('a registry with an authority of its own is refused until the config names it', async () => {
    const image = `plain.example:${plain.port}/team/app:1`;
    await assert.rejects(cri.pull(image), /unknown authority/);
    await give(registries({ host: `plain.example:${plain.port}`, ...trusted }));
    assert.match(await cri.pull(image), /^sha256:/);
    await give({});
    await assert.rejects(cri.pull(image), /unknown authority/);
  });

  for (const [name, registry] of [
    ['basic.example', basic],
    ['token.example', token],
  ] as const) {
    await t.test(`credentials are shown to ${name}`, async () => {
      const host = `${name}:${registry.port}`;
      const entry = { host, certificateAuthority: registry.certificatePem };
      await give(registries(entry));
      await assert.rejects(cri.pull(`${host}/team/app:1`));
      await give(registries({ ...entry, credentials: { ...USER, password: 'another' } }));
      await assert.rejects(cri.pull(`${host}/team/app:1`));
      await give(registries({ ...entry, credentials: USER }));
      assert.match(await cri.pull(`${host}/team/app:1`), /^sha256:/);
    });
  }

  await t.test('a mirror with a path is asked first, the registry for what it has not', async () => {
    const host = `plain.example:${plain.port}`;
    const mirrors = [{ url: mirrorUrl, certificateAuthority: mirror.certificatePem, credentials: USER }];
    await give(registries({ host, mirrors, ...trusted }));
    await cri.pull(`${host}/team/app:2`);
    assert.match(mirror.calls[0] ?? '', /^200 HEAD \/v2\/proxy\/team\/app\/manifests\/2\?ns=plain\.example/);
    assert.deepEqual(plain.calls, []);
    await cri.pull(`${host}/team/more:1`);
    assert.match(mirror.calls.at(-1) ?? '', /^404/);
    assert.match(plain.calls[0] ?? '', /^200 HEAD \/v2\/team\/more\/manifests\/1/);

    await give(registries({ host, mirrors, fallback: false }));
    await cri.pull(`${host}/team/app:3`);
    await assert.rejects(cri.pull(`${host}/team/more:2`));
    assert.deepEqual(plain.calls, []);
  });

  await t.test('mirrors are asked in the order of the config', async () => {
    const host = 'none.example';
    const at = (name: string, registry: typeof plain) => ({
      url: `https://${name}:${registry.port}`,
      certificateAuthority: registry.certificatePem,
    });
    const first = at('plain.example', plain);
    const second = { ...at('basic.example', basic), credentials: USER };
    await give(registries({ host, mirrors: [second, first], fallback: false }));
    await cri.pull(`${host}/team/app:1`);
    assert.deepEqual([basic.calls.length > 0, plain.calls.length], [true, 0]);
    await give(registries({ host, mirrors: [first, second], fallback: false }));
    await cri.pull(`${host}/team/app:2`);
    assert.deepEqual([plain.calls.length > 0, basic.calls.length], [true, 0]);
  });

  await t.test('"*" stands for registries without an entry', async () => {
    const mirrors = [{ url: `https://plain.example:${plain.port}`, ...trusted }];
    await give(registries({ host: '*', mirrors, fallback: false }));
    await cri.pull('elsewhere.example/team/app:1');
    assert.match(plain.calls[0] ?? '', /ns=elsewhere\.example/);
  });

  await t.test('a registry on the node itself is held to its certificate, too', async () => {
    const host = `localhost:${plain.port}`;
    await give(registries({ host, certificateAuthority: basic.certificatePem }));
    await assert.rejects(cri.pull(`${host}/team/app:1`), /certificate/);
  });

  await t.test(
    'an authority the node trusts vouches for every registry, after containerd starts anew',
    async () => {
      const image = `plain.example:${plain.port}/team/app:9`;
      await give({ trustedCAs: { authorities: [{ name: 'test', certificate: plain.certificatePem }] } });
      await node.restart();
      assert.match(await cri.pull(image), /^sha256:/);
      await give({});
      await node.restart();
      await assert.rejects(cri.pull(image), /unknown authority/);
    },
  );

  assert.ok(!node.log().includes(USER.password));
  assert.ok(!node.log().includes(Buffer.from(`${USER.username}:${USER.password}`).toString('base64')));
});
