import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConfig } from '../../parse/parse-config.ts';
import { planConfig } from '../../plan/plan-config.ts';
import { renderConfig } from '../../render-config.ts';
import { problemsOf, readDocument } from '../../testing/read-kind.ts';
import { writeConfig } from '../../write-config.ts';
import { allowedSysctls } from './allowed.ts';
import { sysctlsKind } from './kind.ts';
import { refusedSysctls } from './refused.ts';
import { SYSCTLS_PATH } from './render.ts';
import type { Sysctls } from './schema.ts';

const ofImage = readFileSync(new URL('../../../../../os/sysctl.d/50-plinth.conf', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^[a-z]/.test(line))
  .map((line) => line.split(' = '));

function document(settings: Sysctls['settings']): string {
  return `apiVersion: plinth.dev/v1alpha1\nkind: Sysctls\nsettings: ${JSON.stringify(settings)}\n`;
}

function textOf(settings: Sysctls['settings']): string | undefined {
  return renderConfig(readDocument(document(settings))).find(({ path }) => path === SYSCTLS_PATH)?.text;
}

test('the example is read, and written for systemd-sysctl in the order of the keys', () => {
  const files = renderConfig(readDocument(sysctlsKind.example));
  assert.equal(
    files.find(({ path }) => path === SYSCTLS_PATH)?.text,
    'net.core.rmem_max = 16777216\nnet.ipv4.tcp_rmem = 4096 131072 16777216\nvm.max_map_count = 262144\n',
  );
});

test('a config that changes no setting makes no file', () => {
  assert.equal(textOf({}), undefined);
});

test('each setting of the image may be changed with its value known, or is refused with a reason', () => {
  for (const [key = '', value] of ofImage) {
    const allowed = allowedSysctls.find((each) => each.key === key);
    if (allowed) assert.equal(String(allowed.image), value, key);
    else
      assert.ok(
        refusedSysctls.some((each) => each.key === key),
        key,
      );
  }
  // systemd's own file sets the last one, see its 50-pid-max.conf.
  const set = new Set([...ofImage.map(([key]) => key), 'kernel.pid_max']);
  for (const { key, image } of allowedSysctls) assert.equal(image !== undefined, set.has(key), key);
});

test('no key is in both lists or twice in one, and each has a reason', () => {
  const keys = [...allowedSysctls, ...refusedSysctls].map(({ key }) => key);
  assert.equal(new Set(keys).size, keys.length);
  for (const { why } of [...allowedSysctls, ...refusedSysctls]) assert.ok(why.length > 10);
});

test('what the image sets lies within what may be set', () => {
  for (const { key, image, least, most } of allowedSysctls)
    if (image !== undefined) assert.equal(image >= least && image <= most, true, key);
});

test('a setting that would weaken the node is refused with the reason', () => {
  assert.match(
    problemsOf(document({ 'kernel.core_pattern': 1 })),
    /kernel.core_pattern may not be changed: it names a program that the kernel starts as root/,
  );
  for (const { key, why } of refusedSysctls) {
    const said = problemsOf(document({ [key]: 0, 'vm.max_map_count': 262144 }));
    assert.ok(said.includes(`${key} may not be changed: ${why}`), said);
  }
});

const wrong: readonly (readonly [what: string, settings: string, said: RegExp])[] = [
  ['a misspelt key', '{vm.max_map_cuont: 262144}', /did you mean "vm.max_map_count"/],
  ['a key with slashes', '{vm/max_map_count: 262144}', /unknown key/],
  ['a value below the range', '{vm.max_map_count: 1}', />=65530/],
  ['a value above the range', '{net.core.somaxconn: 65536}', /<=65535/],
  ['a text', '{vm.max_map_count: "262144\\nkernel.sysrq = 1"}', /expected a number/],
  ['a fraction', '{vm.max_map_count: 262144.5}', /expected a whole number/],
  ['one number where three belong', '{net.ipv4.tcp_rmem: 4096}', /expected a list/],
  ['two numbers where three belong', '{net.ipv4.tcp_rmem: [4096, 8192]}', /3/],
  ['numbers that fall', '{net.ipv4.tcp_rmem: [8192, 4096, 16384]}', /do not fall/],
  ['too few ports', '{net.ipv4.ip_local_port_range: [40000, 40001]}', /at least 4096 ports/],
  ['ports of services', '{net.ipv4.ip_local_port_range: [30000, 60999]}', />=32768/],
  [
    'thresholds that fall',
    '{net.ipv4.neigh.default.gc_thresh1: 4096, net.ipv4.neigh.default.gc_thresh3: 2048}',
    /gc_thresh1 to 3 not to fall/,
  ],
];
for (const [what, settings, said] of wrong) {
  test(`settings with ${what} are refused`, () => {
    const text = `apiVersion: plinth.dev/v1alpha1\nkind: Sysctls\nsettings: ${settings}\n`;
    assert.match(problemsOf(text), said);
  });
}

function effectsOf(from: Sysctls['settings'] | undefined, to: Sysctls['settings'] | undefined): string[] {
  const [before, after] = [from, to].map((each) => readDocument(each ? document(each) : ''));
  assert.ok(before && after);
  return planConfig(before, after).effects.map((each) => ('unit' in each ? each.unit : each.kind));
}

test('a setting comes into effect at once; one that the image does not set goes by a reboot', () => {
  const APPLY = 'systemd-sysctl.service';
  const own = { 'vm.max_map_count': 262144 };
  const ofTheImage = { 'fs.inotify.max_user_watches': 1_048_576 };
  assert.deepEqual(effectsOf(undefined, own), [APPLY]);
  assert.deepEqual(effectsOf(own, { 'vm.max_map_count': 524288 }), [APPLY]);
  assert.deepEqual(effectsOf({ ...own, ...ofTheImage }, own), [APPLY]);
  assert.deepEqual(effectsOf(ofTheImage, undefined), [APPLY]);
  assert.deepEqual(effectsOf({ ...own, ...ofTheImage }, ofTheImage), ['reboot']);
  assert.deepEqual(effectsOf(own, undefined), ['reboot']);
  assert.deepEqual(effectsOf(own, own), []);
});

test('only settings that lead packets can cut the node off', () => {
  const touches = (settings: Sysctls['settings']) =>
    planConfig(readDocument(''), readDocument(document({ ...settings }))).touchesNetwork;
  assert.ok(touches({ 'net.ipv4.conf.all.rp_filter': 1 }));
  const [before, after] = [{}, { 'vm.max_map_count': 262144 }].map((each) => readDocument(document(each)));
  assert.ok(before && after);
  assert.equal(planConfig(before, after).touchesNetwork, false);
});

const anySettings = fc
  .tuple(
    ...allowedSysctls
      // Their order among one another is a rule of its own.
      .filter(({ key }) => !key.includes('gc_thresh'))
      .map(({ key, least, most, numbers }) => {
        const number = fc.integer({ min: least, max: most });
        // A range of few ports is refused by a rule of its own.
        if (numbers === 2) return fc.option(fc.constant([key, [least, most]] as const), { nil: undefined });
        const value =
          numbers === undefined
            ? number
            : fc
                .array(number, { minLength: numbers, maxLength: numbers })
                .map((all) => all.toSorted((a, b) => a - b));
        return fc.option(fc.tuple(fc.constant(key), value), { nil: undefined });
      }),
  )
  .map((entries) => Object.fromEntries(entries.filter((each) => each !== undefined)));

test('every config of allowed values is read, written and read again as the same, with one line for each setting', () => {
  fc.assert(
    fc.property(anySettings, (settings) => {
      const config = readDocument(document(settings));
      const again = parseConfig(Buffer.from(writeConfig(config)), 'again.yaml');
      assert.ok(again.ok);
      assert.deepEqual(again.value, config);
      assert.deepEqual(renderConfig(again.value), renderConfig(config));
      const lines = (textOf(settings) ?? '').split('\n').filter((line) => line !== '');
      assert.deepEqual(
        Object.fromEntries(lines.map((line) => line.split(' = '))),
        Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, [value].flat().join(' ')])),
      );
    }),
    { numRuns: 50 },
  );
});

test('no other key and no text is taken', () => {
  const known = new Set(allowedSysctls.map(({ key }) => key));
  const key = fc.oneof(fc.string(), fc.constantFrom(...refusedSysctls.map((each) => each.key)));
  fc.assert(
    fc.property(key, fc.oneof(fc.integer(), fc.string(), fc.boolean()), (name, value) => {
      if (known.has(name)) return;
      assert.notEqual(problemsOf(document({ [name]: value as number })), '');
    }),
  );
});
