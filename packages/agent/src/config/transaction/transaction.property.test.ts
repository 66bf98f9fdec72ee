import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import type { Plinthd, World } from '../../testing/config-world.ts';
import { revisionOf } from './state.ts';
import { alice, assertWhole, found, fresh, started, textOf, within } from './transaction.testing.ts';
import { HEALTH_LIMIT_MS } from './transitions.ts';

type Act =
  | { readonly do: 'apply'; readonly n: number; readonly mode: 'auto' | 'staged' | 'try' }
  | { readonly do: 'confirm' | 'rollback' | 'reboot' | 'die' | 'step' | 'sicken' | 'heal' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'provision'; readonly n: number };

const acts: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    do: fc.constant('apply' as const),
    n: fc.integer({ min: 1, max: 6 }),
    mode: fc.constantFrom('auto' as const, 'staged' as const, 'try' as const),
  }),
  fc.record({
    do: fc.constantFrom(...(['confirm', 'rollback', 'reboot', 'die', 'step', 'sicken', 'heal'] as const)),
  }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 70_000, HEALTH_LIMIT_MS) }),
  fc.record({ do: fc.constant('provision' as const), n: fc.integer({ min: 1, max: 6 }) }),
);

/** One act with plinthd, which may be killed in the middle; what is refused is refused. */
async function perform(world: World, plinthd: Plinthd, act: Act): Promise<void> {
  const { operations, transaction } = plinthd;
  switch (act.do) {
    case 'apply':
      await operations.apply(textOf(act.n), alice, { ...within, mode: act.mode });
      break;
    case 'confirm':
      await operations.confirm(transaction.state().trial?.revision ?? 0, alice);
      break;
    case 'rollback':
      await operations.rollback(0, alice, within);
      break;
    case 'wait':
      world.upMs += act.ms;
      break;
    case 'provision':
      world.given = found(textOf(act.n));
      break;
    case 'sicken':
    case 'heal':
      world.healthy = act.do === 'heal';
      break;
    default:
      break;
  }
  await transaction.step();
}

test('wherever plinthd is killed, the machine is wholly on one config, and no trial outlives its time', async () => {
  const life = fc.array(fc.tuple(acts, fc.option(fc.nat(14), { nil: undefined })), { maxLength: 14 });
  await fc.assert(
    fc.asyncProperty(life, async (steps) => {
      let { world, plinthd } = await fresh();
      for (const [act, budget] of steps) {
        const before = plinthd.transaction.state();
        const hashes = new Set(before.history.map(({ hash }) => hash));
        world.budget = budget;
        const work = perform(world, plinthd, act).catch((reason: unknown) => {
          assert.ok(reason instanceof PlinthError, String(reason));
        });
        await Promise.race([work, plinthd.dead]);
        world.budget = undefined;
        if (act.do === 'reboot') world.reboot();
        plinthd = await started(world);
        const state = plinthd.transaction.state();
        if (state.trial?.until === 'confirmed') {
          assert.notEqual(act.do, 'reboot', 'a reboot in a trial goes back');
          assert.ok(world.upMs < state.trial.deadlineMs, 'a trial survived its deadline');
        }
        await plinthd.transaction.step();
        assertWhole(world, plinthd);
        const now = revisionOf(plinthd.transaction.state(), plinthd.transaction.state().current);
        assert.ok(now && now.outcome !== 'staged' && now.outcome !== 'dropped');
        const isNew = act.do === 'apply' || act.do === 'provision' || act.do === 'rollback';
        assert.ok(hashes.has(now.hash) || isNew || now.author === 'provisioning', 'a config out of nothing');
      }
      world.upMs += 2 * HEALTH_LIMIT_MS;
      await plinthd.transaction.step();
      await plinthd.transaction.step();
      assert.equal(plinthd.transaction.state().trial, undefined);
      assertWhole(world, plinthd);
    }),
    { numRuns: 300 },
  );
});
