import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { initKeys, loadKeys } from '@plinth/trust';
import type { Finding } from '../model/index.ts';
import type { Decision } from '../policy/index.ts';
import { addWaiver, applyWaivers, currentWaivers, isLate, newWaiver, readWaivers } from './waivers.ts';

const now = new Date('2026-11-22T12:00:00Z');
const said = {
  ...{ id: 'cve-2026-35189', reason: 'the port is closed at the edge', author: 'jane@example.org' },
  until: '2026-12-01',
};
const late: Decision = {
  ...{ id: 'CVE-2026-35189', action: 'next-image', reason: 'x', target: 'medium' },
  clock: {
    ...{ from: 'fix-available', startedAt: '2026-11-01T00:00:00Z', dueAt: '2026-11-08T00:00:00Z' },
    ...{ state: 'breached', elapsedMs: 1 },
  },
};
const findings = [
  { vulnerability: { id: 'CVE-2026-35189', aliases: ['GO-2026-4321'] } },
] as unknown as Finding[];

test('a waiver holds the clock until its end, then says so and holds nothing; the decision stays', () => {
  const waiver = newWaiver(said, now);
  assert.deepEqual([waiver.id, waiver.until], ['CVE-2026-35189', '2026-12-01T23:59:59.000Z']);
  const at = (instant: string) =>
    applyWaivers([late], findings, currentWaivers([waiver], new Date(instant))).map((each) => [
      each.waiver?.state,
      isLate(each),
      each.clock?.state,
    ]);
  assert.deepEqual(at('2026-12-01T23:00:00Z'), [['active', false, 'breached']]);
  assert.deepEqual(at('2026-12-02T00:00:00Z'), [['expired', true, 'breached']]);
  assert.ok(isLate(late));
});

test('the last waiver of an identifier counts; another name of the flaw will do', () => {
  const first = newWaiver(said, now);
  const longer = newWaiver({ ...said, until: '2027-01-31' }, new Date('2026-11-30T00:00:00Z'));
  const [current, ...more] = currentWaivers([longer, first], new Date('2026-12-15T00:00:00Z'));
  assert.deepEqual([current?.until, current?.state, more], [longer.until, 'active', []]);
  const alias = currentWaivers([newWaiver({ ...said, id: 'GO-2026-4321' }, now)], now);
  assert.deepEqual(applyWaivers([late], findings, alias).map(isLate), [false]);
});

test('what is no waiver is refused', () => {
  for (const [change, pattern] of [
    [{ id: 'openssl' }, /it is no identifier/],
    [{ until: '2026-11-21' }, /its end is past/],
    [{ until: '2028-01-01' }, /more than a year/],
    [{ until: 'soon' }, /its end is "soon"/],
    [{ reason: 'because' }, /reason/],
    [{ author: ' ' }, /author/],
  ] as const)
    assert.throws(() => newWaiver({ ...said, ...change }, now), pattern);
});

test('only a signature by a trusted release key counts; what was changed or cut off is told', async () => {
  const folder = await scratchFolder('waivers');
  const [own, other] = [join(folder, 'own'), join(folder, 'other')];
  await initKeys(own, {});
  await initKeys(other, {});
  const [keys, strangers] = [await loadKeys(own, {}), await loadKeys(other, {})];
  const trusted = keys.certificates('release');
  assert.deepEqual(await readWaivers(folder, trusted), { values: [], problems: [], digests: [] });
  const waiver = newWaiver(said, now);
  await addWaiver(folder, waiver, keys.signers.release);
  await addWaiver(folder, { ...waiver, until: '2027-10-01T00:00:00.000Z' }, strangers.signers.release);
  assert.deepEqual((await readWaivers(folder, trusted)).values, [waiver]);
  assert.match((await readWaivers(folder, trusted)).problems.join(), /1 line has no signature by a trusted/);
  assert.deepEqual((await readWaivers(folder, [])).values, []);
  const path = join(folder, 'waivers.jsonl');
  await appendFile(path, '{"payload');
  assert.match((await readWaivers(folder, trusted)).problems.join(), /cut off/);
  await addWaiver(folder, waiver, keys.signers.release);
  assert.equal((await readWaivers(folder, trusted)).values.length, 2);
  const longer = (await readFile(path, 'utf8')).replaceAll(/"payload":"([^"]+)"/g, (_, payload: string) => {
    const text = Buffer.from(payload, 'base64')
      .toString('utf8')
      .replace(waiver.until, '2027-10-01T00:00:00.000Z');
    return `"payload":"${Buffer.from(text).toString('base64')}"`;
  });
  await writeFile(path, longer);
  assert.deepEqual((await readWaivers(folder, trusted)).values, []);
});
