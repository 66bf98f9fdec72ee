import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { planConfig } from '../plan/plan-config.ts';
import { ACCESS, configs, documents, MACHINE, parsed } from '../testing/configs.ts';
import { writeConfig } from '../write-config.ts';
import { mergeDocuments } from './merge-documents.ts';

const merge = (config: string, given: string) =>
  mergeDocuments(parsed(config), Buffer.from(given), 'documents');
const settings = (value: number) => ({ kind: 'Sysctls', settings: { 'vm.max_map_count': value } });
const volume = (name: string, serial: string) => ({ kind: 'Volume', name, disk: { serial } });

suite('documents put into a config', () => {
  test('the document of a kind takes the place of the one before, and all others stay', () => {
    const merged = merge(documents(MACHINE, ACCESS, settings(262144)), documents(settings(524288)));
    assert.ok(merged.ok);
    const wanted = parsed(documents(MACHINE, ACCESS, settings(524288)));
    assert.deepEqual(merged.value, wanted);
    const { changes } = planConfig(wanted, merged.value);
    assert.equal(changes.length, 0);
  });

  test('where a kind stands many times, the name tells which one is replaced', () => {
    const before = documents(MACHINE, ACCESS, volume('images', 's1'), volume('data', 's2'));
    const merged = merge(before, documents(volume('images', 's3')));
    assert.ok(merged.ok);
    assert.deepEqual(
      merged.value,
      parsed(documents(MACHINE, ACCESS, volume('data', 's2'), volume('images', 's3'))),
    );
  });

  test('a kind given twice, an unknown key and no document at all are refused', () => {
    const base = documents(MACHINE, ACCESS);
    for (const given of [
      documents(settings(262141), settings(262142)),
      documents({ ...settings(262141), nonsense: 1 }),
      '',
      'x'.repeat(300 * 1024),
    ])
      assert.equal(merge(base, given).ok, false, given.slice(0, 100));
  });

  test('a whole config put into any other gives documents of which none is lost, and again changes nothing', () => {
    fc.assert(
      fc.property(configs, configs, (base, given) => {
        const text = Buffer.from(writeConfig(given));
        const merged = mergeDocuments(base, text, 'documents');
        assert.ok(merged.ok);
        const again = mergeDocuments(merged.value, text, 'documents');
        assert.ok(again.ok);
        assert.equal(planConfig(merged.value, again.value).changes.length, 0);
        for (const key of Object.keys(base)) assert.ok(key in merged.value, key);
      }),
      { numRuns: 50 },
    );
  });
});
