import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConfig } from '../../parse/parse-config.ts';
import { planConfig } from '../../plan/plan-config.ts';
import { renderConfig } from '../../render-config.ts';
import { problemsOf, readDocument } from '../../testing/read-kind.ts';
import { writeConfig } from '../../write-config.ts';
import { allowedModules } from './allowed.ts';
import { kernelModulesKind, MODULES_PATH } from './kind.ts';

const names = allowedModules.map(([name]) => name);

function document(modules: readonly string[]): string {
  const load = JSON.stringify(modules.map((name) => ({ name })));
  return `apiVersion: plinth.dev/v1alpha1\nkind: KernelModules\nload: ${load}\n`;
}

function textOf(text: string): string | undefined {
  return renderConfig(readDocument(text)).find(({ path }) => path === MODULES_PATH)?.text;
}

test('the example is read and written for systemd-modules-load', () => {
  assert.equal(textOf(kernelModulesKind.example), 'nvme_tcp\nwireguard\n');
  assert.equal(textOf(document([])), undefined);
});

test('names are those of /proc/modules, in order, each once', () => {
  for (const name of names) assert.match(name, /^[A-Za-z0-9_]+$/);
  assert.deepEqual(
    names,
    [...new Set(names)].toSorted((a, b) => (a < b ? -1 : 1)),
  );
});

for (const [what, text, said] of [
  ['a module that is not in the list', document(['dccp']), /list of those that may be loaded/],
  ['a module twice', document(['nbd', 'nbd']), /each name once/],
  ['options behind a name', document(['nbd max_part=8']), /list of those that may be loaded/],
  ['a misspelt key', document(['nbd']).replace('load', 'lod'), /did you mean "load"/],
] as const) {
  test(`${what} is refused`, () => assert.match(problemsOf(text), said));
}

test('a module is loaded at once and taken out by a reboot', () => {
  const effects = (from: readonly string[], to: readonly string[]) =>
    planConfig(readDocument(document(from)), readDocument(document(to))).effects.map((each) =>
      'unit' in each ? `${each.kind} ${each.unit}` : each.kind,
    );
  const load = 'restart systemd-modules-load.service';
  assert.deepEqual(effects([], ['nbd']), [load]);
  assert.deepEqual(effects(['nbd'], ['nbd', 'tun']), [load]);
  assert.deepEqual(effects(['nbd', 'tun'], ['nbd']), ['reboot']);
  assert.deepEqual(effects(['nbd'], ['tun']), [load, 'reboot']);
  assert.deepEqual(effects(['nbd', 'tun'], ['tun', 'nbd']), []);
});

test('every choice of modules is written and read again as the same, whatever its order', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...names]), (some) => {
      const config = readDocument(document(some));
      const again = parseConfig(Buffer.from(writeConfig(config)), 'again.yaml');
      assert.ok(again.ok);
      assert.deepEqual(again.value, config);
      assert.deepEqual((textOf(document(some)) ?? '').split('\n').filter(Boolean), some.toSorted());
    }),
    { numRuns: 50 },
  );
});
