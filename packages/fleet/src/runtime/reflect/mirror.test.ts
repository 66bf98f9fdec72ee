import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { Mirror } from './mirror.ts';

interface Item {
  readonly uid: string;
  readonly resourceVersion: string;
}

suite('mirror', () => {
  const heard: string[] = [];
  const mirror = () => {
    heard.length = 0;
    return new Mirror<Item>((key, now, before) => {
      heard.push(`${key} ${before?.resourceVersion ?? '-'}→${now?.resourceVersion ?? '-'}`);
    });
  };
  const item = (version: number, uid = 'u'): Item => ({ uid, resourceVersion: String(version) });

  test('the answer to an own write is known before the watch tells it, and is not told twice', () => {
    const known = mirror();
    known.replace(new Map([['a', item(5)]]), '5');
    assert.equal(known.put('a', item(7)), true);
    known.put('a', item(6));
    assert.equal(known.items.get('a')?.resourceVersion, '7');
    assert.deepEqual(heard, ['a -→5', 'a 5→7']);
  });

  test('what was deleted does not come back by the late answer to a write before', () => {
    const known = mirror();
    known.replace(new Map([['a', item(5)]]), '5');
    known.drop('a', 'u', '9');
    assert.equal(known.put('a', item(8)), false);
    assert.equal(known.put('a', item(10, 'v')), true);
  });

  test('a deletion of an earlier object of the name does not take the new one away (kubernetes-client: keyed by name)', () => {
    const known = mirror();
    known.replace(new Map([['a', item(9, 'new')]]), '9');
    known.drop('a', 'old', '8');
    assert.equal(known.items.get('a')?.uid, 'new');
  });

  test('a list drops what it does not have, but for what is newer than it', () => {
    const known = mirror();
    known.replace(
      new Map([
        ['a', item(5)],
        ['b', item(5)],
      ]),
      '5',
    );
    known.put('c', item(12));
    known.replace(new Map([['a', item(5)]]), '10');
    assert.deepEqual([...known.items.keys()], ['a', 'c']);
  });

  test('changes in any order, told any number of times, lead to the newest state', () => {
    const change = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      version: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const known = mirror();
        for (const { key, version } of changes) known.put(key, item(version));
        for (const key of ['a', 'b', 'c']) {
          const versions = changes.filter((each) => each.key === key).map(({ version }) => version);
          const expected = versions.length === 0 ? undefined : String(Math.max(...versions));
          assert.equal(known.items.get(key)?.resourceVersion, expected);
        }
      }),
    );
  });
});
