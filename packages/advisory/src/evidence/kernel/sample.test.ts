import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { z } from 'zod';
import { isOff } from './condition.ts';
import { kernelMapFor } from './kernel-map.ts';
import { judgeKernelChange } from './kernel-verdict.ts';

// 200 verdicts that were checked by hand: what a change of the rules or of the map makes of them; see corpus/README.md.

const rowSchema = z.object({
  id: z.string(),
  subject: z.string(),
  state: z.enum(['off', 'elsewhere']),
  symbols: z.array(z.string()).optional(),
  architectures: z.array(z.string()).optional(),
  checkedBy: z.enum(['record', 'definition', 'reading']),
  file: z.string().optional(),
});
const sample = new URL('../../../corpus/kernel/not-affected-sample.jsonl', import.meta.url);
const rows = (await readFile(sample, 'utf8'))
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => rowSchema.parse(JSON.parse(line)));
const map = kernelMapFor('6.12.117+deb13-cloud-amd64');
assert.ok(map);

test('the checked verdicts come out again when their symbols are off', () => {
  assert.equal(rows.length, 200);
  for (const { id, subject, state, symbols, architectures } of rows) {
    const off = new Set(symbols);
    // All on but the symbols of the verdict: they alone must carry it.
    const config = new Proxy<Record<string, string>>(
      {},
      { get: (_, name) => (off.has(String(name)) ? undefined : 'y') },
    );
    const verdict = judgeKernelChange({ subject }, 'amd64', config, map);
    assert.equal(verdict.state, state, `${id} ${subject}: ${verdict.reason}`);
    if (architectures) assert.deepEqual(verdict.architectures, architectures);
  }
});

test('the files that records and definitions name are off for the same symbols', () => {
  for (const { id, symbols, file } of rows) {
    if (file === undefined || symbols === undefined) continue;
    const condition = map.files.get(file);
    // A file of a newer kernel than the map's is not in it.
    if (!condition) continue;
    assert.ok(
      isOff(condition, (symbol) => !symbols.includes(`CONFIG_${symbol}`)),
      `${id} ${file}`,
    );
  }
});

test('none of them is "not affected" when everything is compiled, but for other architectures', () => {
  const everything = new Proxy<Record<string, string>>({}, { get: () => 'y' });
  for (const { id, subject, state } of rows) {
    const verdict = judgeKernelChange({ subject }, 'amd64', everything, map);
    assert.notEqual(verdict.state, 'off', id);
    assert.equal(verdict.state === 'elsewhere', state === 'elsewhere', id);
  }
});
