import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { formatReference } from '@plinth/attest';
import { recordedBoot } from '@plinth/attest/testing';
import { scratchFolder } from '@plinth/host/testing';
import { machineFolder } from '@plinth/local';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';
import { attestedNode } from './testing/attested-node.ts';

// A machine that "plinth up" made: its image is known here, so nobody has to name a release.

const node = attestedNode();
let fleet: FakeFleet;
let stateBefore: string | undefined;

before(async () => {
  stateBefore = process.env['PLINTH_STATE_DIR'];
  process.env['PLINTH_STATE_DIR'] = await scratchFolder('own-machine');
  fleet = await fakeFleet({ name: 'n1', more: [node.routes] });
  node.nodeId = fleet.nodes.get('n1')?.nodeId ?? '';
});
after(async () => {
  if (stateBefore === undefined) delete process.env['PLINTH_STATE_DIR'];
  else process.env['PLINTH_STATE_DIR'] = stateBefore;
  await fleet[Symbol.asyncDispose]();
});

async function keepMachine(name: string): Promise<void> {
  await mkdir(machineFolder(name), { recursive: true });
  const ended = { pid: 2 ** 22 - 1, startTicks: '1' };
  const record = {
    ...{ format: 1, name, uuid: '00000000-0000-4000-8000-000000000000', firmware: 'secure-boot' },
    ...{ base: { path: '/disk.raw', sizeBytes: 1, modifiedMs: 1 }, accelerator: 'tcg', apiPort: 1 },
    ...{ startedAt: new Date(0).toISOString(), qemu: ended },
  };
  await writeFile(join(machineFolder(name), 'machine.json'), JSON.stringify(record));
}

test('a machine of this computer is judged by the image that it was made from, when no release is named', async () => {
  assert.match((await fleet.plinth('attest', '--enrol')).stdout, /no-reference/, 'no machine of that name');
  await keepMachine('n1');
  assert.match((await fleet.plinth('attest')).stdout, /no-reference/, 'made before this was kept');
  const reference = join(machineFolder('n1'), 'reference.json');
  await writeFile(reference, formatReference(recordedBoot().reference));
  assert.match(await fleet.ok('attest'), /release +\S+ 0\.1\.0[\s\S]*verdict +pass/);
  await writeFile(reference, '{}');
  await fleet.refused(/attest\/reference-invalid/, 'attest');
});
