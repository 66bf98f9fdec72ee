import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeSummary } from '../flows/bring-up.ts';
import { renderBlocks } from '../output/blocks.ts';
import { createStyle } from '../output/style.ts';
import { showNode } from './show-node.ts';

const healthy: NodeSummary = {
  machine: 'local',
  wasRunning: false,
  imageVersion: '0.1.0',
  rootHash: `8f3c91d2${'0'.repeat(48)}77aa01be`,
  packageCount: 97,
  rootSizeBytes: 131_928_064,
  diskSizeBytes: 158_334_976,
  accelerator: 'kvm',
  endpoint: '127.0.0.1:42773',
  fingerprint: `sha256:${'ab'.repeat(32)}`,
  health: 'healthy',
  faults: [],
  bootPhases: [
    { name: 'kernel', durationMs: 1_200 },
    { name: 'userspace', durationMs: 9_000 },
  ],
};
const plain = createStyle(false);

test('showNode is the table that plinth up ends with', () => {
  const { view, data, exitCode } = showNode(healthy, plain);
  assert.equal(exitCode, 0);
  assert.equal(data, healthy);
  assert.equal(
    renderBlocks(view, { wide: false, style: plain }),
    `machine    local (KVM)
image      plinth 0.1.0
root hash  8f3c91d2…77aa01be
packages   97
sizes      root 126 MiB, disk 151 MiB
boot       10 s
           kernel 1.2 s
           userspace 9.0 s
api        127.0.0.1:42773
health     healthy

Next:
  plinth get integrity  is what runs what was built?
  plinth vm console     watch it
  plinth down           stop it
`,
  );
});

test('showNode shows an unhealthy node with its faults, and fails', () => {
  const { view, exitCode } = showNode(
    { ...healthy, health: 'degraded', faults: ['var: full\n  Free space.'] },
    plain,
  );
  assert.equal(exitCode, 1);
  assert.match(
    renderBlocks(view, { wide: false, style: plain }),
    /health {5}degraded\n\nvar: full\n {2}Free space\.\n/,
  );
});

test('showNode of a machine that ran already says that nothing was started', () => {
  const { view } = showNode({ ...healthy, wasRunning: true }, plain);
  assert.match(
    renderBlocks(view, { wide: false, style: plain }),
    /^Machine "local" runs this image already\.\n/,
  );
});
