import assert from 'node:assert/strict';
import { after } from 'node:test';
import { PlinthError } from '@plinth/base';
import { parseConfig, renderConfig } from '@plinth/config';
import { makeAuthority } from '../../testing/authority.ts';
import { type Plinthd, World } from '../../testing/config-world.ts';
import type { FoundConfig } from '../find-config.ts';
import { revisionOf } from './state.ts';

const authority = makeAuthority();
after(() => authority[Symbol.dispose]());
const pem = authority.certificatePem;
export const alice = { name: 'alice', reason: 'a test' };
export const within = { mode: undefined, confirmWithinMs: 60_000 };

/** Config number n: each has other addresses, and every third another set of cards. */
export function textOf(n: number, name = 'node-1'): Buffer {
  const card = (mac: string, host: number) => ({ mac, addresses: [`10.0.${n}.${host}/24`] });
  const cards = [card('52:54:00:00:00:01', 1)];
  if (n % 3 === 0) cards.push(card('52:54:00:00:00:02', 2));
  const documents = [
    { apiVersion: 'plinth.dev/v1alpha1', kind: 'Machine', name },
    { apiVersion: 'plinth.dev/v1alpha1', kind: 'ApiAccess', clientAuthorities: [pem] },
    { apiVersion: 'plinth.dev/v1alpha1', kind: 'Network', interfaces: cards },
  ];
  return Buffer.from(documents.map((each) => JSON.stringify(each)).join('\n---\n'));
}

export function found(bytes: Buffer, source: 'fw_cfg' | 'persisted' = 'fw_cfg'): FoundConfig {
  const parsed = parseConfig(bytes, 'test');
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return { ok: true, source, config: parsed.value, bytes };
}

/** The text of the config in effect, by its stored revision. */
export function current(world: World, plinthd: Plinthd): string {
  const { state } = plinthd.transaction;
  return world.disk.get(`config/${revisionOf(state(), state().current)?.hash}`)?.toString() ?? '';
}

/** The machine has exactly the files of the config, and networkd has read them. */
export function assertWhole(world: World, plinthd: Plinthd): void {
  const wanted = renderConfig(plinthd.transaction.config()).map(({ path, mode, text }) => [
    path,
    { mode, text },
  ]);
  assert.equal(world.snapshot(), JSON.stringify(wanted));
  assert.equal(world.loaded, world.snapshot());
}

export async function started(world: World): Promise<Plinthd> {
  const plinthd = await world.start();
  assert.ok(plinthd);
  return plinthd;
}

export async function fresh(n = 1): Promise<{ world: World; plinthd: Plinthd }> {
  const world = new World();
  world.given = found(textOf(n));
  const plinthd = await started(world);
  await plinthd.transaction.step();
  await plinthd.transaction.step();
  return { world, plinthd };
}

export const refused = (code: string) => (reason: unknown) =>
  reason instanceof PlinthError && reason.code === code;
