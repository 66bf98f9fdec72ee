import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf } from '@plinth/host/testing';
import { memoryStore } from '../sys/state-store.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { isRecoveryKey, openRecoveryKey, PRINTED_KEY } from './recovery-key.ts';

const KEY = Array(8).fill('cbdefghi').join('-');
const OTHER = Array(8).fill('jklnrtuv').join('-');

/** A disk that keeps what is written, as one that several starts of plinthd see. */
function disk(volatileBecause?: string) {
  return { ...memoryStore(''), volatileBecause };
}

async function open(store: ReturnType<typeof disk>, printed?: string) {
  let discarded = 0;
  const files: Record<string, string> = printed === undefined ? {} : { [PRINTED_KEY]: printed };
  const discard = async () => {
    discarded++;
  };
  const key = await openRecoveryKey({ sys: fakeSys({ files }), store, discard });
  return { key, discarded: () => discarded };
}

test('what the initrd printed is kept, given once, and then forgotten for good', async () => {
  const store = disk();
  const first = await open(store, `${KEY}\n`);
  assert.equal(first.discarded(), 1);
  assert.equal((await first.key.state()).state, 'kept');
  const { key } = await open(store);
  assert.equal(await key.take('ann'), KEY);
  assert.equal(await codeOf(key.take('bob')), 'var-key/already-taken');
  const again = await open(store);
  assert.equal(await codeOf(again.key.take('bob')), 'var-key/already-taken');
  const state = await again.key.state();
  assert.ok(state.state === 'taken' && state.takenBy === 'ann');
  assert.ok(!(await store.read('recovery-key.json'))?.toString().includes(KEY));
});

test('a renewed key comes in place of the one before', async () => {
  const store = disk();
  const { key } = await open(store, KEY);
  await key.take('ann');
  await key.renew();
  assert.equal(await store.read('recovery-key.json'), undefined);
  assert.equal(await codeOf(key.take('ann')), 'var-key/no-recovery-key');
  const next = await open(store, OTHER);
  assert.equal(await next.key.take('ann'), OTHER);
});

test('a /var that keeps nothing keeps no key, and what was printed stays for another try', async () => {
  const { key, discarded } = await open(disk('/var is in memory'), KEY);
  assert.equal(discarded(), 0);
  assert.deepEqual(await key.state(), { state: 'none' });
});

test('what is no key is not kept: the next start makes one', async () => {
  for (const printed of ['', 'no key', KEY.slice(1), `${KEY}-${KEY}`]) {
    const store = disk();
    const { key, discarded } = await open(store, printed);
    assert.equal(discarded(), 0, printed);
    assert.deepEqual(await key.state(), { state: 'none' });
    assert.equal(isRecoveryKey(printed), false);
  }
});

test('a damaged note is put out of the way, where the initrd does not take it for a key', async () => {
  const store = disk();
  await store.write('recovery-key.json', Buffer.from('{"state":"kept"}'));
  const { key } = await open(store);
  assert.deepEqual(await key.state(), { state: 'none' });
  assert.equal(await store.read('recovery-key.json'), undefined);
});
