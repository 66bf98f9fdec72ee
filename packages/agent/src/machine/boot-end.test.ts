import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { memoryStore } from '../sys/state-store.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { openBootEnd } from './boot-end.ts';
import type { Ask } from './judge-boot-end.ts';

const journal = '/usr/bin/journalctl --no-pager --quiet --output=cat';
const CHECK = `${journal} --boot --unit=plinth-var-check.service --lines=20`;
const WORDS = `${journal} --boot=-1 --lines=1 MESSAGE_ID=98268866d1d54a499c4e98921d93bc40`;
const LAST = `${journal} --boot=-1 --lines=1`;
const CLEAN = 'var: clean, 34/131072 files, 26763/524288 blocks\n';
const ask: Ask = { kind: 'reboot', askedBy: 'ann', reason: 'r', askedAtMs: 0, overridden: '' };

/** A node over several boots: what is stored stays, what a boot shows is given. */
function node() {
  const store = { ...memoryStore('a test'), volatileBecause: undefined };
  return {
    store,
    async boot(
      bootId: string,
      seen: { check?: string; crashes?: string[]; before?: string },
      asks: Record<string, Ask> = {},
    ) {
      const { check = CLEAN, crashes = [], before = 'a line\n' } = seen;
      const sys = fakeSys({
        files: Object.fromEntries(crashes.map((name) => [`/var/lib/systemd/pstore/${name}/dmesg.txt`, 'a'])),
        programs: { [CHECK]: check, [WORDS]: '', [LAST]: before },
      });
      const stop = new AbortController();
      const look = await openBootEnd({ sys, store, bootId, askOf: (id) => asks[id], signal: stop.signal });
      const end = await look();
      stop.abort();
      return end;
    },
  };
}

suite('how the last boot ended, over several boots', () => {
  test('the first boot has none before it, the second one knows who asked, and the third that nobody did', async () => {
    const { boot } = node();
    assert.equal((await boot('1', { before: '' })).kind, 'first-boot');
    const second = await boot('2', {}, { 1: ask });
    assert.deepEqual([second.kind, second.ask?.askedBy], ['reboot', 'ann']);
    const third = await boot('3', {}, { 1: ask });
    assert.deepEqual([third.kind, third.ask], ['orderly', undefined]);
  });

  test('a restart of plinthd changes no answer, also when the act is forgotten by then', async () => {
    const { boot } = node();
    await boot('1', {});
    for (const asks of [{ 1: ask }, {}]) assert.equal((await boot('2', {}, asks)).kind, 'reboot');
  });

  test('crash records tell of the boot they were found after, and not of later ones', async () => {
    const { boot } = node();
    await boot('1', {});
    assert.equal((await boot('2', { crashes: ['a'] })).kind, 'kernel-panic');
    assert.equal((await boot('2', { crashes: ['a'] })).kind, 'kernel-panic', 'after a restart of plinthd');
    assert.equal((await boot('3', { crashes: ['a'] })).kind, 'orderly');
    const fourth = await boot('4', { crashes: ['a', 'b'], check: 'var: recovering journal\n' });
    assert.equal(fourth.kind, 'kernel-panic');
    assert.match(fourth.evidence.join(), /crash records: b/);
  });

  test('a /var that was not unmounted is an abrupt end, whatever was asked for', async () => {
    const { boot } = node();
    await boot('1', {});
    const check = `var: recovering journal\n${CLEAN}`;
    assert.equal((await boot('2', { check }, { 1: ask })).kind, 'abrupt');
  });

  test('a check that was not seen leaves it unknown; a damaged memory is set aside', async () => {
    const { boot, store } = node();
    await boot('1', {});
    assert.equal((await boot('2', { check: '' }, { 1: ask })).kind, 'unknown');
    await store.write('machine/boot.json', Buffer.from('{'));
    assert.equal((await boot('3', {})).kind, 'orderly', 'the journal knows that there was a boot before');
  });
});
