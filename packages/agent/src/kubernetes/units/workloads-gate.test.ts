import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Units } from './run-unit.ts';
import { gatedUnits } from './workloads-gate.ts';

function recorded(beforeWorkloads: () => Promise<void>) {
  const ran: string[] = [];
  const units = {
    state: async () => assert.fail('not asked'),
    run: async (verb: string, unit: string) => {
      ran.push(`${verb} ${unit}`);
    },
  } satisfies Units;
  return { ran, units: gatedUnits(units, beforeWorkloads) };
}

const options = { timeoutMs: 1000 };

test('the kubelet, init and join wait; everything else does not', async () => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { ran, units } = recorded(() => gate);
  const waiting = ['kubelet', 'plinth-kubeadm-init', 'plinth-kubeadm-join'].map((name) =>
    units.run('start', `${name}.service`, options),
  );
  await units.run('stop', 'kubelet.service', options);
  await units.run('restart', 'plinth-images.service', options);
  assert.deepEqual(ran, ['stop kubelet.service', 'restart plinth-images.service']);
  open();
  await Promise.all(waiting);
  assert.equal(ran.length, 5);
});

test('nothing starts when they may not', async () => {
  const { ran, units } = recorded(() => Promise.reject(new Error('an essential one failed')));
  for (const verb of ['start', 'restart'] as const)
    await assert.rejects(units.run(verb, 'kubelet.service', options), /essential/);
  assert.deepEqual(ran, []);
});
