import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chainIdOf, readImageConfig } from './image-config.ts';
import { bootstrapSpec, capabilitiesOf, fullSpec, viewSpec } from './oci-spec.ts';

const process = { args: ['/a'], env: [], folder: '/', uid: 0, gid: 0 };
const limits = { memoryBytes: 1, processes: 1 };
const DIFF = `sha256:${'ab'.repeat(32)}`;

test('the view holds nothing that changes the node', () => {
  const spec = viewSpec({ ...process, uid: 61_000, gid: 61_000 }, [101], limits);
  assert.deepEqual(Object.values(spec.process.capabilities).flat(), []);
  assert.equal(spec.process.noNewPrivileges, true);
  assert.equal(spec.root.readonly, true);
  const host = spec.mounts.find(({ destination }) => destination === '/host');
  assert.ok(host?.options.includes('rro'));
  assert.deepEqual(spec.process.user, { uid: 61_000, gid: 61_000, additionalGids: [101] });
  const block = spec.linux.resources.devices.filter((each) => !('type' in each) || each.type !== 'c');
  assert.deepEqual(block, [{ allow: false, access: 'rwm' }]);
});

test('a bootstrap container has no capability over the node, and no process of it in sight', () => {
  const spec = bootstrapSpec(process, [{ source: '/usr', target: '/usr', readOnly: true }], limits);
  for (const name of ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN', 'CAP_SYS_PTRACE', 'CAP_MKNOD', 'CAP_DAC_READ_SEARCH'])
    assert.equal(spec.process.capabilities.bounding.includes(name), false, name);
  assert.ok(spec.linux.namespaces.some(({ type }) => type === 'pid'));
  assert.deepEqual(spec.mounts.at(-1), {
    ...{ destination: '/usr', type: 'bind', source: '/usr' },
    options: ['rbind', 'rprivate', 'rro', 'nosuid', 'nodev'],
  });
});

test('the full level has what the first process has, as user 0', () => {
  const all = capabilitiesOf('Name:\tx\nCapBnd:\t000001ffffffffff\n');
  assert.equal(all.length, 41);
  assert.equal(all[21], 'CAP_SYS_ADMIN');
  const spec = fullSpec({ ...process, uid: 5, gid: 5 }, all, limits);
  assert.equal(spec.process.user.uid, 0);
  assert.deepEqual(spec.process.capabilities.bounding, all);
  assert.deepEqual(capabilitiesOf('nothing of it'), []);
});

test('the name of a stack of layers is as the specification has it', () => {
  assert.equal(chainIdOf([DIFF]), DIFF);
  // Of the text "sha256:abab… sha256:abab…", by another program.
  assert.equal(
    chainIdOf([DIFF, DIFF]),
    'sha256:ce8130e8302d48e2dfc931cb3ba8e666bf2b0c241eb9ae404687fde4ac3817b5',
  );
  assert.notEqual(chainIdOf([DIFF, DIFF]), chainIdOf([DIFF, DIFF, DIFF]));
});

test('an image is read, or refused with a reason', () => {
  const config = (user: string) =>
    Buffer.from(JSON.stringify({ config: { User: user, Env: null }, rootfs: { diff_ids: [DIFF] } }));
  assert.partialDeepStrictEqual(readImageConfig(config('1000:1001')), { uid: 1000, gid: 1001, folder: '/' });
  assert.partialDeepStrictEqual(readImageConfig(config('')), { uid: 0, gid: 0 });
  assert.throws(() => readImageConfig(config('nobody')), /its user is a name/);
  for (const wrong of ['', '{', '[]', '{"rootfs":{"diff_ids":[]}}', '{"rootfs":{"diff_ids":["x"]}}'])
    assert.throws(() => readImageConfig(Buffer.from(wrong)), { code: 'containers/image-invalid' });
});

test('no bytes make the reader of images throw anything else', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        assert.throws(() => readImageConfig(bytes), { code: 'containers/image-invalid' });
      },
    ),
  );
});
