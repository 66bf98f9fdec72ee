import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { fakeNode } from '../testing/fake-node.ts';
import type { Units } from '../units/run-unit.ts';
import { mergeLayer } from './merge-layer.ts';

/** Merges 1.36.4 on a node that has 1.37.1 merged, where the service manager fails so often with that message. */
async function mergeAfter(failures: number, message: string): Promise<{ tries: number; merged?: string }> {
  const { store, sys } = fakeNode();
  let tries = 0;
  let merged = '1.37.1';
  const units: Units = {
    state: () => Promise.reject(new Error('not asked for')),
    async run() {
      tries++;
      if (tries <= failures) throw new PlinthError('kubernetes/unit-failed', message);
      merged = '1.36.4';
    },
  };
  const release: typeof sys = { ...sys, readFile: async () => Buffer.from(`IMAGE_VERSION=${merged}\n`) };
  const parts = { sys: release, store, units, mergePauseMs: 1 };
  try {
    await mergeLayer(parts, { version: '1.36.4', before: undefined }, new AbortController().signal);
    return { tries, merged };
  } catch (reason) {
    assert.ok(reason instanceof PlinthError && reason.code === 'kubernetes/layer-refused');
    return { tries };
  }
}

const BUSY = 'Cannot run systemd-sysext.service: failed; its last words: Device or resource busy';

test('a layer whose device is still being taken away is merged when it is gone', async () => {
  assert.deepEqual(await mergeAfter(2, BUSY), { tries: 3, merged: '1.36.4' });
});

test('a failure of which the journal says nothing is tried again too', async () => {
  const silent = 'Cannot run systemd-sysext.service: failed (exit-code)';
  assert.deepEqual(await mergeAfter(1, silent), { tries: 2, merged: '1.36.4' });
});

test('a device that stays busy, and any verdict on the layer, ends it', async () => {
  // One try more is the layer that was chosen before.
  assert.deepEqual(await mergeAfter(99, BUSY), { tries: 7 });
  for (const verdict of ['Image does not match image policy', 'Required key not available'])
    assert.deepEqual(await mergeAfter(1, verdict), { tries: 2 });
});
