import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { ListSessionsResponseSchema } from '@plinth/api';
import { findSession } from './show-sessions.ts';

const nodeWith = (...sessions: readonly { readonly id: string; readonly open: boolean }[]) => ({
  session: { list: async () => create(ListSessionsResponseSchema, { sessions: [...sessions] }) } as never,
});

test('without an id it is the open session; with one it is that one and never another', async () => {
  const node = nodeWith({ id: 'over', open: false }, { id: 'open', open: true });
  assert.equal((await findSession(node)).id, 'open');
  assert.equal((await findSession(node, 'over')).id, 'over');
  await assert.rejects(findSession(node, 'ope'), { code: 'session/missing', message: /"ope"/ });
  await assert.rejects(findSession(nodeWith({ id: 'over', open: false })), { code: 'session/missing' });
});
