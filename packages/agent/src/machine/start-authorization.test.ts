import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import {
  type Authorization,
  type AuthorizedStart,
  assertAuthorized,
  assertAuthorizedRoot,
  authorizationOf,
} from './start-authorization.ts';

const root = 'ab'.repeat(32);
const given: Authorization = { bootId: 'boot-1', rootHash: root, notAfterMs: 1000, nonce: 'n-1' };
const start: AuthorizedStart = { bootId: 'boot-1', startId: 'boot-1', nowMs: 999, last: undefined };

suite('permission for one start', () => {
  test('it is good in its boot, before its end, for its root hash; asked for again there too', () => {
    assertAuthorized(given, start);
    assertAuthorized(given, { ...start, last: { bootId: 'boot-1', authorization: given } });
    assertAuthorizedRoot(given, root);
    assertAuthorizedRoot(undefined, 'anything');
  });

  test('it is refused in another boot, too late, for another system, and after a soft-reboot that used it', () => {
    const stale = { code: 'machine/authorization-stale' };
    assert.throws(() => assertAuthorized(given, { ...start, bootId: 'boot-2', startId: 'boot-2' }), stale);
    assert.throws(() => assertAuthorized(given, { ...start, nowMs: 1000 }), {
      code: 'machine/authorization-late',
    });
    for (const other of ['', 'cd'.repeat(32)]) assert.throws(() => assertAuthorizedRoot(given, other), stale);
    const last = { bootId: 'boot-1', authorization: given };
    assert.throws(() => assertAuthorized(given, { ...start, startId: 'boot-1+1', last }), stale);
  });

  test('one permission ends one boot at most, whatever is sent and whenever', () => {
    const step = fc.record({ soft: fc.boolean(), resend: fc.integer({ min: 0, max: 3 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        let [kernel, softs, ends] = [1, 0, 0];
        let last: AuthorizedStart['last'];
        for (const { soft, resend } of steps)
          for (let sent = 0; sent <= resend; sent++) {
            const bootId = `boot-${kernel}`;
            const startId = softs > 0 ? `${bootId}+${softs}` : bootId;
            try {
              assertAuthorized(given, { bootId, startId, nowMs: 0, last });
            } catch {
              continue;
            }
            ends++;
            last = { bootId: startId, authorization: given };
            if (soft) softs++;
            else [kernel, softs] = [kernel + 1, 0];
          }
        assert.ok(ends <= 1, `${ends} starts by one permission`);
      }),
    );
  });

  test('what came over the wire is whole, or it is refused', () => {
    const sent = { bootId: 'b', rootHash: root, notAfter: timestampFromMs(5), nonce: 'n' };
    const read = (change: object) => authorizationOf({ ...sent, ...change } as never);
    assert.deepEqual(read({}), { bootId: 'b', rootHash: root, notAfterMs: 5, nonce: 'n' });
    assert.equal(authorizationOf(undefined), undefined);
    for (const change of [
      { bootId: '' },
      { rootHash: '' },
      { rootHash: root.toUpperCase() },
      { notAfter: undefined },
      { nonce: '' },
      { nonce: 'a b' },
      { nonce: 'x'.repeat(65) },
    ])
      assert.throws(() => read(change), { code: 'machine/bad-request' });
  });
});
