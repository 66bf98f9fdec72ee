import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { guardLoss, type LossQuestion } from './guard-loss.ts';

const refuse = (reason: string) => new PlinthError('machine/quorum-at-risk', reason);
const ask = (change: Partial<LossQuestion>) =>
  guardLoss(
    {
      ...{ role: 'control-plane', kind: 'stops', nodeName: 'cp1', override: '' },
      judge: async () => ({ ok: false, reason: 'it is the only member', lastMember: true }),
      ...change,
    },
    refuse,
  );

test('only a control plane is asked for, and only its own name overrides', async () => {
  assert.equal(await ask({ role: 'worker' }), '');
  assert.equal(await ask({ role: undefined }), '');
  assert.equal(await ask({ judge: async () => ({ ok: true }) }), '');
  await assert.rejects(ask({}), /the only member/);
  await assert.rejects(ask({ override: 'cp2' }), /the only member/);
  assert.equal(await ask({ override: 'cp1' }), 'it is the only member');
});

test('an etcd that cannot be asked is a reason against it', async () => {
  const judge = async () => {
    throw new Error('no connection');
  };
  await assert.rejects(ask({ judge }), /nobody can tell whether etcd goes on: no connection/);
  assert.match(await ask({ judge, override: 'cp1' }), /nobody can tell/);
});
