import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConfig } from '../../parse/parse-config.ts';
import { planConfig } from '../../plan/plan-config.ts';
import { renderConfig } from '../../render-config.ts';
import { problemsOf, readDocument } from '../../testing/read-kind.ts';
import { writeConfig } from '../../write-config.ts';
import { volumeKind } from './kind.ts';
import { volumeLabel, volumePlace, volumeUnit } from './render.ts';
import { volumeOptions } from './schema.ts';

const good = { name: 'data', disk: { serial: 'A1' } };

function document(...all: readonly object[]): string {
  return all
    .map((fields) => JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', kind: 'Volume', ...fields }))
    .join('\n---\n');
}

const text = (fields: object, path: string) =>
  renderConfig(readDocument(document(fields))).find((file) => file.path === path)?.text ?? '';

test('the example is read, and written and read again as the same', () => {
  const config = readDocument(volumeKind.example);
  assert.equal(config.volumes[0]?.required, true);
  const again = parseConfig(Buffer.from(writeConfig(config)), 'again.yaml');
  assert.ok(again.ok);
  assert.deepEqual(again.value, config);
});

test('what is not said is as careful as can be', () => {
  assert.deepEqual(readDocument(document(good)).volumes, [{ ...good, options: [], required: false }]);
  const unit = text(good, '/run/systemd/system/var-mnt-data.mount');
  assert.match(unit, /^Options=nosuid,nodev,noexec,rootcontext=system_u:object_r:container_file_t:s0$/m);
  assert.match(unit, /^What=\/dev\/disk\/by-partlabel\/plinth-volume-data$/m);
});

test('what may be executed is asked for; nosuid and nodev cannot be taken away', () => {
  const unit = text({ ...good, options: ['noatime', 'exec'] }, '/run/systemd/system/var-mnt-data.mount');
  assert.match(unit, /^Options=nosuid,nodev,noatime,rootcontext=/m);
  for (const option of ['suid', 'dev', 'noexec', 'noauto', 'x-systemd.makefs'])
    assert.match(problemsOf(document({ ...good, options: [option] })), /exec, noatime|one of/);
});

test('a volume comes and goes while the node runs; its options wait for a reboot', () => {
  const [none, one, changed, other] = [
    [],
    [good],
    [{ ...good, options: ['exec'] }],
    [{ ...good, disk: { largestEmpty: true } }],
  ].map((all) => (all.length === 0 ? readDocument('') : readDocument(document(...all))));
  assert.ok(none && one && changed && other);
  const effects = (from: typeof one, to: typeof one) => planConfig(from, to).effects.map(({ kind }) => kind);
  assert.deepEqual(effects(none, one), ['live']);
  assert.deepEqual(effects(one, none), ['live']);
  assert.deepEqual(effects(one, changed), ['reboot']);
  assert.deepEqual(effects(one, other), ['live']);
  assert.equal(planConfig(none, one).touchesNetwork, false);
});

for (const [what, fields, said] of [
  ['no disk', { name: 'data' }, /disk/],
  ['a disk that nothing says which', { ...good, disk: { minimumSize: '1Gi' } }, /exactly one of serial/],
  ['a disk said twice', { ...good, disk: { serial: 'A', path: 'pci-0' } }, /exactly one of serial/],
  ['a name of the kernel', { ...good, disk: { name: '/dev/vdb' } }, /unknown key "name"/],
  ['a way out of by-path', { ...good, disk: { path: '../vda' } }, /by-path/],
  ['a line break in a serial', { ...good, disk: { serial: 'a\nb' } }, /serial number/],
  ['the largest not being asked for', { ...good, disk: { largestEmpty: false } }, /true/],
  ['a size without a unit', { ...good, disk: { serial: 'A', minimumSize: '100' } }, /binary unit/],
  ['a place of its own', { ...good, mountPath: '/var/lib/containerd' }, /unknown key "mountPath"/],
  ['a name with a slash', { ...good, name: 'a/b' }, /lower-case letters/],
  ['a name that is too long for a label', { ...good, name: 'a'.repeat(23) }, /22/],
  ['an option twice', { ...good, options: ['exec', 'exec'] }, /each option once/],
  ['a wish to wipe', { ...good, wipe: true }, /unknown key "wipe"/],
] as const) {
  test(`a volume with ${what} is refused`, () => assert.match(problemsOf(document(fields)), said));
}

/** Any volume that a config can ask for. */
const anyVolume = fc.record({
  name: fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?$/),
  disk: fc.oneof(
    fc.record({ serial: fc.stringMatching(/^[!-~](?:[ -~]{0,126}[!-~])?$/) }),
    fc.record({ wwid: fc.stringMatching(/^[!-~](?:[ -~]{0,126}[!-~])?$/) }),
    fc.record({ path: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.:+-]{0,127}$/) }),
    fc.record({ largestEmpty: fc.constant(true), minimumSize: fc.constantFrom('1Gi', '512Mi', '2Ti') }),
  ),
  options: fc.shuffledSubarray([...volumeOptions]),
  required: fc.boolean(),
});

test('any volumes are written and read as the same, and only their own files are rendered', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(anyVolume, { selector: ({ name }) => name, minLength: 1, maxLength: 4 }),
      (all) => {
        const config = readDocument(document(...all));
        const again = parseConfig(Buffer.from(writeConfig(config)), 'again.yaml');
        assert.ok(again.ok);
        assert.deepEqual(again.value, config);
        const files = renderConfig(config).filter(({ path }) => path.startsWith('/run/'));
        assert.equal(files.length, 2 * all.length);
        for (const { path, text: lines } of files) {
          assert.match(
            path,
            /^\/run\/(?:plinth\/volumes\/[a-z0-9-]+\/volume\.conf|systemd\/system\/var-mnt-[a-z0-9\\-]+\.mount)$/,
          );
          // Nothing of a selector reaches a unit.
          assert.equal(lines.split('\n').filter((line) => /^Exec|^\[Service/.test(line)).length, 0);
        }
        for (const { name } of all) {
          assert.ok(volumeLabel(name).length <= 36);
          assert.equal(volumePlace(name), `/var/mnt/${name}`);
          assert.doesNotMatch(volumeUnit(name).slice('var-mnt-'.length), /-/);
        }
      },
    ),
    { numRuns: 100 },
  );
});
