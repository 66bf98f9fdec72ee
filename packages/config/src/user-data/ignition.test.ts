import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ACCESS, documents, MACHINE } from '../testing/configs.ts';
import { problemsIn, understood } from '../testing/user-data.ts';
import { ignitionVersions } from './ignition.ts';

const CONFIG = '/etc/plinth/machine-config.yaml';
const text = documents(MACHINE, ACCESS);
const dataUrl = (content: string | Buffer) => `data:;base64,${Buffer.from(content).toString('base64')}`;
const sha512 = (content: string) => `sha512-${createHash('sha512').update(content).digest('hex')}`;
const file = (contents: object, path = CONFIG) => ({ path, contents });
const ignition = (storage: object, version = '3.4.0') =>
  JSON.stringify({ ignition: { version }, storage }, null, 2);

for (const version of ignitionVersions) {
  test(`an Ignition config of version ${version} carries documents`, () => {
    const { config, form } = understood(ignition({ files: [file({ source: dataUrl(text) })] }, version));
    assert.deepEqual([form, config.machine.name], ['ignition', 'node-1']);
  });
}

test('an Ignition config gives the host name, percent-encoded, packed and with a hash', () => {
  const packed = { source: dataUrl(gzipSync(documents(ACCESS))), compression: 'gzip' };
  const storage = {
    files: [
      file({ source: 'data:,node%2D3%0A', verification: {} }, '/etc/hostname'),
      { ...file({ ...packed, verification: { hash: sha512(documents(ACCESS)) } }), overwrite: true },
    ],
  };
  assert.equal(understood(ignition(storage)).config.machine.name, 'node-3');
});

test('what of an Ignition config asks for nothing is no problem', () => {
  const idle = { passwd: {}, systemd: { units: [] }, kernelArguments: { shouldExist: null } };
  const whole = {
    ignition: { version: '3.5.0', timeouts: {} },
    ...idle,
    storage: { files: [file({ source: dataUrl(text) })], disks: [] },
  };
  assert.equal(understood(JSON.stringify(whole)).config.machine.name, 'node-1');
});

const good = { files: [file({ source: dataUrl(text) })] };

/** A whole config, and what must be said. */
const mistakes: readonly (readonly [what: string, whole: object, said: RegExp])[] = [
  ['users', { passwd: { users: [{ name: 'core' }] } }, /\$\.passwd .*no users/],
  ['units', { systemd: { units: [{ name: 'a.service' }] } }, /\$\.systemd .*static pod/],
  ['kernel arguments', { kernelArguments: { shouldExist: ['a'] } }, /\$\.kernelArguments .*signed together/],
  [
    'disks',
    { storage: { ...good, disks: [{ device: '/dev/sda' }] } },
    /\$\.storage\.disks .*laid out by the image/,
  ],
  ['links', { storage: { ...good, links: [{ path: '/a' }] } }, /\$\.storage\.links /],
  [
    'an http source',
    { storage: { files: [file({ source: 'http://example.com/a' })] } },
    /contents .*no data URL.*fetches nothing/,
  ],
  [
    'a config to merge',
    { ignition: { version: '3.4.0', config: { merge: [{ source: 'http://a' }] } } },
    /\$\.ignition\.config .*fetches nothing/,
  ],
  ['another version', { ignition: { version: '2.3.0' } }, /\$\.ignition\.version .*3\.5\.0/],
  ['an experimental version', { ignition: { version: '3.6.0-experimental' } }, /\$\.ignition\.version /],
  ['no version', { ignition: {} }, /expected one of/],
  ['an unknown key', { storag: {} }, /\$\.storag .*unknown key "storag"; did you mean "storage"/],
  [
    'an unknown key of a file',
    { storage: { files: [{ pth: '/a' }] } },
    /files\[0\]\.pth .*unknown key "pth"; did you mean "path"/,
  ],
  ['a mode', { storage: { files: [{ ...good.files[0], mode: 420 }] } }, /files\[0\]\.mode .*never written/],
  [
    'an appended file',
    { storage: { files: [{ path: CONFIG, append: [{ source: 'data:,a' }] }] } },
    /append /,
  ],
  [
    'a file without a place',
    { storage: { files: [file({ source: 'data:,a' }, '/etc/modules-load.d/a.conf')] } },
    /kind KernelModules/,
  ],
  [
    'another hash',
    { storage: { files: [file({ source: 'data:,a', verification: { hash: sha512('b') } })] } },
    /another hash/,
  ],
  ['broken base64', { storage: { files: [file({ source: 'data:;base64,%%%' })] } }, /broken percent sign/],
  [
    'a data URL without content',
    { storage: { files: [file({ source: 'data:text/plain' })] } },
    /without a comma/,
  ],
  [
    'a compression nobody knows',
    { storage: { files: [file({ source: 'data:,a', compression: 'xz' })] } },
    /compression .*gzip/,
  ],
  ['a file that is a text', { storage: { files: ['a'] } }, /\$\.storage\.files\[0\] /],
  ['storage that is a list', { storage: [] }, /\$\.storage /],
];

for (const [what, given, said] of mistakes) {
  test(`an Ignition config with ${what} is refused with its place`, () => {
    const whole = { ignition: { version: '3.4.0' }, storage: good, ...given };
    const problems = problemsIn(JSON.stringify(whole, null, 2));
    assert.match(problems.join('\n'), said);
    assert.match(problems.join('\n'), /^\d+:\d+ /m);
  });
}

test('documents of ours in JSON are no Ignition', () => {
  const json = {
    apiVersion: 'plinth.dev/v1alpha1',
    kind: 'MachineConfig',
    metadata: { name: 'a' },
    api: { clientAuthorities: ACCESS.clientAuthorities },
  };
  assert.equal(understood(JSON.stringify(json)).form, 'documents');
});
