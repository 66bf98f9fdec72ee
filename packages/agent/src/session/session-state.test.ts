import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationsSession } from '@plinth/config';
import fc from 'fast-check';
import { planSession, type SessionAsk } from './session-state.ts';

const allowed: OperationsSession = { image: 'r.example/a@sha256:00', levels: ['view'], longest: '30m' };
const ask = (more: Partial<SessionAsk> = {}): SessionAsk => ({
  ...{ level: 'view', reason: 'why', ttlMs: 0, openedBy: 'ada', terminal: undefined },
  ...more,
});

test('what is not said is the longest that is allowed, in a usual terminal', () => {
  assert.deepEqual(planSession(ask({ reason: ' why ' }), allowed), {
    ...{ level: 'view', reason: 'why', openedBy: 'ada', image: allowed.image, ttlMs: 30 * 60_000 },
    terminal: { columns: 80, rows: 24, kind: 'xterm-256color' },
  });
});

for (const [what, more, config, code] of [
  ['a node that says nothing of sessions', {}, undefined, 'session/not-allowed'],
  ['a level that is not allowed', { level: 'full' }, allowed, 'session/not-allowed'],
  ['more time than is allowed', { ttlMs: 30 * 60_000 + 1 }, allowed, 'session/not-allowed'],
  ['no reason', { reason: ' ' }, allowed, 'session/request-invalid'],
  ['a long reason', { reason: 'x'.repeat(201) }, allowed, 'session/request-invalid'],
  ['a reason of two lines', { reason: 'a\nb' }, allowed, 'session/request-invalid'],
  ['a negative time', { ttlMs: -1 }, allowed, 'session/request-invalid'],
  ['an endless terminal', { terminal: { columns: 1001 } }, allowed, 'session/request-invalid'],
  ['a terminal that is a path', { terminal: { kind: '../x' } }, allowed, 'session/request-invalid'],
] as const) {
  test(`a session with ${what} is refused`, () =>
    assert.throws(() => planSession(ask(more), config), { code }));
}

test('no session that is planned is more than the config allows', () => {
  const asks = fc.record({
    level: fc.constantFrom('view' as const, 'full' as const),
    reason: fc.string({ maxLength: 300 }),
    ttlMs: fc.oneof(fc.integer(), fc.double()),
    openedBy: fc.string(),
    terminal: fc.option(
      fc.record({ columns: fc.nat(2000), rows: fc.nat(2000), kind: fc.string({ maxLength: 80 }) }),
      { nil: undefined },
    ),
  });
  fc.assert(
    fc.property(asks, fc.subarray(['view', 'full'] as const), (given, levels) => {
      const config = levels.length > 0 ? { ...allowed, levels } : undefined;
      try {
        const plan = planSession(given, config);
        assert.ok(config?.levels.includes(plan.level));
        assert.ok(plan.ttlMs >= 1000 && plan.ttlMs <= 30 * 60_000);
        assert.ok(plan.reason.length >= 1 && plan.reason.length <= 200);
        assert.ok(plan.terminal.columns <= 1000 && plan.terminal.rows <= 1000);
      } catch (reason) {
        assert.match(String((reason as { code?: string }).code), /^session\//);
      }
    }),
    { numRuns: 2000 },
  );
});
