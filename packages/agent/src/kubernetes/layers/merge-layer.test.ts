import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { fakeNode } from '../testing/fake-node.ts';
import type { Units } from '../units/run-unit.ts';
import { mergeLayer } from './choose-layer.ts';

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
  const parts = { sys: release, store, units, busyPauseMs: 1 };
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

test('a device that stays busy, and any other refusal, ends it', async () => {
  // One try more is the layer that was chosen before.
  assert.deepEqual(await mergeAfter(99, BUSY), { tries: 6 });
  assert.deepEqual(await mergeAfter(1, 'Image does not match image policy'), { tries: 2 });
});
