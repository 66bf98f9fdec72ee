import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openGoCache, withScratch } from './go-cache.ts';
import { goCompileRun, modFlags } from './go-command.ts';
import { type GoComponent, loadGoComponents } from './go-component.ts';
import { openGoTools } from './go-tools.ts';

// The tests that programs of our own carry beside their source, run by the compiler that makes the programs.

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const components = await loadGoComponents(join(repository, 'go'));
const tools = await openGoTools({ lockDir: join(repository, 'os') });

async function hasTests({ moduleDir }: GoComponent): Promise<boolean> {
  return (await readdir(moduleDir, { recursive: true })).some((name) => name.endsWith('_test.go'));
}

suite('Go programs of our own', async () => {
  const tested: GoComponent[] = [];
  for (const component of components.values()) if (await hasTests(component)) tested.push(component);

  test('carry tests', () => {
    assert.ok(tested.some(({ name }) => name === 'smart'));
  });

  for (const component of tested)
    test(`${component.name}: its tests pass`, async () => {
      const cache = await openGoCache();
      await withScratch(cache, async (scratch) => {
        const run = goCompileRun(component, cache, { scratch });
        for (const words of [
          ['vet', ...modFlags(component), './...'],
          ['test', ...modFlags(component), '-count=1', './...'],
        ])
          await tools.toolbox.run('nice', ['-n', '19', tools.program, ...words], run);
      });
    });
});
