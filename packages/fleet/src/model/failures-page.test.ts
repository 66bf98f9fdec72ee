import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';

const ROOT = join(import.meta.dirname, '../../../..');
const PAGE = 'docs/explanation/fleet-failures.md';
/** How many failures the study numbers. */
const NUMBERED = 53;

/** The rows of the page that name a test: what number, which file, and a part of the test's name. */
async function rows() {
  const page = await readFile(join(ROOT, PAGE), 'utf8');
  const found: { number: string; file: string; name: string }[] = [];
  for (const line of page.split('\n')) {
    const [, number = '', file = '', name = ''] = /^\| (\d*) ?\| .* \| `([^`]+)`: (.+) \|$/.exec(line) ?? [];
    if (file !== '') found.push({ number, file, name });
  }
  return found;
}

suite(PAGE, () => {
  test('names a test for each failure of the study, and each test is there under that name', async () => {
    const all = await rows();
    const numbers = new Set(all.flatMap(({ number }) => (number === '' ? [] : [Number(number)])));
    assert.deepEqual(
      [...numbers],
      Array.from({ length: NUMBERED }, (_, index) => index + 1),
    );
    for (const { file, name } of all) {
      const path = file.startsWith('tests/') ? file : `packages/fleet/src/${file}`;
      const text = await readFile(join(ROOT, path), 'utf8');
      const titles = text.match(/\btest\(\s*(['`])(?:\\.|(?!\1).)*\1/gs) ?? [];
      assert.ok(
        titles.some((title) => title.includes(name)),
        `${path} has no test "${name}"`,
      );
    }
  });
});
