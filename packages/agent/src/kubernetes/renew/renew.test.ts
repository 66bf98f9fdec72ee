import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memoryStore } from '../../sys/state-store.ts';
import { planRenewal } from './plan-renewal.ts';
import { RENEW_UNIT, RESTART_UNIT, type RenewalParts, renewCertificates, runRenewal } from './run-renewal.ts';

const YEAR_MS = 365 * 24 * 60 * 60_000;
const fresh = { path: '/a', notBeforeMs: 0, notAfterMs: YEAR_MS };

test('a certificate is due exactly when less than 30 % of its life is left', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 40 }),
      fc.integer({ min: 1000, max: 2 ** 38 }),
      fc.double({ min: -0.5, max: 1.5, noNaN: true }),
      (notBeforeMs, lifeMs, lived) => {
        fc.pre(Math.abs(lived - 0.7) > 1e-3);
        const nowMs = notBeforeMs + lived * lifeMs;
        const { due } = planRenewal([{ path: '/a', notBeforeMs, notAfterMs: notBeforeMs + lifeMs }], nowMs);
        assert.equal(due.length === 1, lived > 0.7);
      },
    ),
  );
});

test('dates that make no sense are due, and the first of all is told', () => {
  assert.deepEqual(planRenewal([{ path: '/b', notBeforeMs: 5, notAfterMs: 5 }], 0).due, ['/b']);
  assert.deepEqual(planRenewal([{ path: '/b', notBeforeMs: Number.NaN, notAfterMs: 9 }], 0).due, ['/b']);
  assert.deepEqual(planRenewal([{ path: '/b', notBeforeMs: 0, notAfterMs: Number.NaN }], 0).due, ['/b']);
  assert.deepEqual(planRenewal([fresh], 0), { due: [], dueAtMs: YEAR_MS * 0.7 });
  assert.deepEqual(planRenewal([], 0), { due: [], dueAtMs: undefined });
});

/** A node whose kubeadm renews, or fails at a unit. */
function node({ nowMs = 0, failAt = '', refusal = '' } = {}) {
  const state = { certificate: fresh, units: [] as string[], failAt, refusal, nowMs };
  const parts: RenewalParts = {
    nowMs: () => state.nowMs,
    store: memoryStore('a test'),
    readCertificates: async () => [state.certificate],
    async restartUnit(unit) {
      if (unit === state.failAt) throw new Error(`${unit} failed`);
      state.units.push(unit);
      if (unit === RENEW_UNIT)
        state.certificate = { path: '/a', notBeforeMs: state.nowMs, notAfterMs: state.nowMs + YEAR_MS };
    },
    whyNotNow: async () => state.refusal || undefined,
  };
  return { state, parts };
}

test('nothing is started while certificates are fresh', async () => {
  const { state, parts } = node({ nowMs: YEAR_MS / 2 });
  assert.deepEqual(await renewCertificates(parts), []);
  assert.deepEqual(state.units, []);
});

test('what is due is renewed, then the control plane starts anew, once', async () => {
  const { state, parts } = node({ nowMs: YEAR_MS * 0.8 });
  assert.deepEqual(await renewCertificates(parts), ['/a']);
  assert.deepEqual(state.units, [RENEW_UNIT, RESTART_UNIT]);
  assert.deepEqual(await renewCertificates(parts), []);
  assert.equal(state.units.length, 2);
});

test('a restart that failed is done by the next round, though nothing is due any more', async () => {
  const { state, parts } = node({ nowMs: YEAR_MS * 0.8, failAt: RESTART_UNIT });
  await assert.rejects(renewCertificates(parts), /failed/);
  state.failAt = '';
  await renewCertificates(parts);
  assert.deepEqual(state.units, [RENEW_UNIT, RESTART_UNIT]);
});

test('a control plane that etcd cannot miss is left alone', async () => {
  const { state, parts } = node({ nowMs: YEAR_MS * 0.8, refusal: 'no quorum' });
  await assert.rejects(renewCertificates(parts), { code: 'kubernetes/certificates-not-renewed' });
  assert.deepEqual(state.units, []);
});

test('the loop goes on after a failure, waits longer, and says both once', async () => {
  const { state, parts } = node({ nowMs: YEAR_MS * 0.8, refusal: 'no quorum' });
  const stopping = new AbortController();
  const waits: number[] = [];
  const said: string[] = [];
  await runRenewal(parts, {
    signal: stopping.signal,
    async sleep(durationMs) {
      waits.push(durationMs);
      if (waits.length === 2) state.refusal = '';
      if (waits.length === 3) stopping.abort();
    },
    onRenewed: (paths) => said.push(`renewed ${paths}`),
    onFailure: (reason) => said.push(reason === undefined ? 'works' : 'fails'),
  });
  assert.deepEqual(said, ['fails', 'renewed /a', 'works']);
  assert.deepEqual(waits, [7_200_000, 14_400_000, 3_600_000]);
});
