import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadSelinuxSpec } from './selinux-spec.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selinux-spec-'));
});
after(() => rm(folder, { recursive: true }));

const write = (name: string, text: string) => writeFile(join(folder, name), text);
const policy = (...names: string[]) =>
  write('policy.yaml', `reference:\n${names.map((name) => `  - { name: ${name}, reason: x }`).join('\n')}\n`);

test('loadSelinuxSpec gives the modules of the reference policy as listed, and the own ones by name', async () => {
  await policy('base', 'container');
  await write('plinthd.cil', '');
  await write('helpers.cil', '');
  assert.deepEqual(await loadSelinuxSpec(folder), {
    reference: ['base', 'container'],
    own: ['helpers.cil', 'plinthd.cil'],
  });
});

test('loadSelinuxSpec refuses a module that would take the place of one of the reference policy', async () => {
  await policy('base', 'container');
  await write('container.cil', '');
  await assert.rejects(loadSelinuxSpec(folder), { code: 'image/spec-invalid', message: /container\.cil/ });
  await rm(join(folder, 'container.cil'));
});

test('loadSelinuxSpec refuses a name that could be an option, and tells where', async () => {
  await policy('base', '--remove');
  await assert.rejects(loadSelinuxSpec(folder), { code: 'image/spec-invalid' });
});

test("the image's own policy leaves out what may do everything", async () => {
  const { reference, own } = await loadSelinuxSpec(join(import.meta.dirname, '../../../../os/selinux'));
  assert.ok(reference.includes('base'));
  assert.ok(!reference.includes('unconfined'));
  assert.ok(own.includes('posture.cil'));
});
