import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { EXAMPLE_CERTIFICATE, indented } from '../framework/example-certificate.ts';
import { ACCESS, documents, MACHINE } from '../testing/configs.ts';
import { problemsIn, understood } from '../testing/user-data.ts';
import { refusedCloudConfig } from './cloud-config-refused.ts';

/** A cloud-config with the client authorities in a file, and more lines. */
function cloudConfig(lines: string, carried = documents(ACCESS)): string {
  return `#cloud-config\n${lines}\nwrite_files:\n  - path: /etc/plinth/machine-config.yaml\n    content: |\n${indented(carried, 6)}\n`;
}

test('a cloud-config is documents of a machine config', () => {
  const { config, form } = understood(
    cloudConfig(`hostname: node-7
fqdn: node-7
ntp:
  enabled: true
  servers: [ntp.example.com, 10.5.0.2]
  pools: [ntp.example.com]
ca_certs:
  remove_defaults: false
  trusted:
    - |
${indented(EXAMPLE_CERTIFICATE, 6)}`),
  );
  assert.equal(form, 'cloud-config');
  assert.equal(config.machine.name, 'node-7');
  assert.deepEqual(config.network?.ntp, { servers: ['ntp.example.com', '10.5.0.2'] });
  assert.deepEqual(config.api.clientAuthorities, [EXAMPLE_CERTIFICATE]);
  const [authority] = config.trustedCAs?.authorities ?? [];
  assert.match(authority?.name ?? '', /^user-data-[0-9a-f]{16}$/);
  assert.equal(authority?.certificate.trim(), EXAMPLE_CERTIFICATE.trim());
});

test('what a cloud-config was read as is written as documents that mean the same', () => {
  const first = understood(cloudConfig('hostname: node-7\nntp: {servers: [10.5.0.2]}'));
  const again = understood(first.documents);
  assert.equal(again.form, 'documents');
  assert.deepEqual(again.config, first.config);
});

for (const [encoding, pack] of [
  ['b64', (text: string) => Buffer.from(text).toString('base64')],
  ['gzip+base64', (text: string) => gzipSync(text).toString('base64')],
] as const) {
  test(`a file of a cloud-config may be ${encoding}`, () => {
    const content = pack(documents(MACHINE, ACCESS));
    const text = `#cloud-config\nwrite_files: [{path: /etc/plinth/machine-config.yaml, encoding: ${encoding}, content: ${content}}]\n`;
    assert.equal(understood(text).config.machine.name, 'node-1');
  });
}

test('the host name may be in its file', () => {
  const text = cloudConfig('').concat('  - {path: /etc/hostname, content: "node-9\\n"}\n');
  assert.equal(understood(text).config.machine.name, 'node-9');
});

/** Lines, and what must be said: the place, the path and some words. */
const mistakes: readonly (readonly [what: string, lines: string, said: RegExp])[] = [
  ['users', 'hostname: n\nusers:\n  - name: me', /^3:1 \$\.users .*no users.*plinth access issue/],
  ['a password', 'hostname: n\npassword: hunter2', /^3:1 \$\.password .*no users/],
  [
    'SSH keys',
    'hostname: n\nssh_authorized_keys: [ssh-ed25519 AAAA]',
    /^3:1 \$\.ssh_authorized_keys .*ApiAccess/,
  ],
  ['commands', 'hostname: n\nruncmd:\n  - echo', /^3:1 \$\.runcmd .*no shell/],
  ['packages', 'hostname: n\npackages: [vim]', /^3:1 \$\.packages .*build an image/],
  ['an upgrade', 'hostname: n\npackage_upgrade: true', /^3:1 \$\.package_upgrade .*verified image/],
  ['units', 'hostname: n\ncoreos: {units: [{name: a.service}]}', /^3:1 \$\.coreos .*static pod/],
  [
    'an unknown key',
    'hostname: n\nhostnam: m',
    /^3:1 \$\.hostnam .*unknown key "hostnam"; did you mean "hostname"/,
  ],
  [
    'a misspelt refused key',
    'hostname: n\nruncmds: [a]',
    /^3:1 \$\.runcmds .*unknown.*did you mean "runcmd"/,
  ],
  [
    'an unknown key below',
    'hostname: n\nntp:\n  server: [10.5.0.2]',
    /^4:3 \$\.ntp .*unknown key "server".*"servers"/,
  ],
  ['a bad host name', 'hostname: Node_1', /^2:11 \$\.hostname .*RFC 1123/],
  ['a domain', 'fqdn: node-1.example.com', /^2:7 \$\.fqdn .*RFC 1123/],
  ['two names', 'hostname: a\nfqdn: b', /^3:7 \$\.fqdn .*leave "fqdn" out/],
  ['an NTP peer', 'hostname: n\nntp: {peers: [10.5.0.2]}', /^3:14 \$\.ntp\.peers .*servers only/],
  ['no NTP', 'hostname: n\nntp: {enabled: false}', /^3:16 \$\.ntp\.enabled .*expected true/],
  [
    'another NTP program',
    'hostname: n\nntp: {ntp_client: chrony}',
    /^3:19 \$\.ntp\.ntp_client .*systemd-timesyncd/,
  ],
  [
    'defaults to remove',
    'hostname: n\nca_certs: {remove_defaults: true}',
    /^3:29 .*authorities of the image stay/,
  ],
  ['no certificate', 'hostname: n\nca_certs: {trusted: [x]}', /^3:22 \$\.ca_certs\.trusted\[0\] .*in PEM/],
  ['an alias', 'hostname: &a n\nfqdn: *a', /^3:7 - .*alias/],
  ['a tag', 'hostname: !!binary bm9kZQ==', /\$\.hostname .*expected a text/],
  ['a set', 'hostname: n\nusers: !!set {me: null}', /^3:1 \$\.users /],
  ['a key twice', 'hostname: n\nhostname: m', /^3:1 - .*second time/],
];

for (const [what, lines, said] of mistakes) {
  test(`a cloud-config with ${what} is refused with its place`, () => {
    assert.match(problemsIn(cloudConfig(lines)).join('\n'), new RegExp(said.source, 'm'));
  });
}

/** Fields of an entry of write_files, and what must be said. */
const files: readonly (readonly [fields: string, said: RegExp])[] = [
  ['path: /etc/motd, content: hi', /\$\.write_files\[0\]\.path .*no place.*leave the file out/],
  ['path: /etc/sysctl.d/90.conf, content: hi', /document of kind Sysctls/],
  ['path: /etc/plinth/machine-config.yaml, permissions: "0644", content: ""', /permissions .*never written/],
  ['path: /etc/plinth/machine-config.yaml, append: true, content: ""', /append .*expected false/],
  ['path: /etc/plinth/machine-config.yaml, source: {uri: "http://x"}', /source .*fetches nothing/],
  ['path: /etc/plinth/machine-config.yaml, encoding: b64, content: "%"', /content .*no base64/],
  [
    'path: /etc/plinth/machine-config.yaml, encoding: gz+b64, content: "aGk="',
    /content .*gzip that is damaged/,
  ],
  ['path: /etc/plinth/machine-config.yaml, encoding: rot13, content: a', /encoding .*b64/],
  ['path: /etc/plinth/machine-config.yaml', /holds no document/],
  ['path: /etc/hostname, content: "Node 1"', /does not hold a host name/],
  ['path: /etc/hostname, contents: n', /unknown key "contents".*did you mean "content"/],
];

for (const [fields, said] of files) {
  test(`an entry of write_files with {${fields}} is refused`, () => {
    assert.match(problemsIn(`#cloud-config\nwrite_files: [{${fields}}]\n`).join('\n'), said);
  });
}

test('problems of documents in a file have the line of the file', () => {
  const said = problemsIn(cloudConfig('', `apiVersion: plinth.dev/v1alpha1\nkind: Machine\nname: X`));
  assert.match(
    said.join('\n'),
    /^3:7 machine\.name Cannot read user data, in it \/etc\/plinth\/machine-config\.yaml/m,
  );
});

test('what asks for nothing, or for what is so, is no problem', () => {
  const idle =
    'users: []\nruncmd:\nssh_pwauth: false\ndisable_root: true\ntimezone: UTC\npackage_update: false\nntp:\n';
  assert.equal(understood(cloudConfig(`hostname: n\n${idle}`)).config.network, undefined);
});

test('a cloud-config without the client authorities is told where they go', () => {
  assert.match(
    problemsIn('#cloud-config\nhostname: n\n').join('\n'),
    /ApiAccess, expected one; add .*write_files/,
  );
});

test('one setting in two places is refused', () => {
  const text = cloudConfig('hostname: a', documents(MACHINE, ACCESS));
  assert.match(problemsIn(text).join('\n'), /a second Machine/);
});

test('every refused key has a reason and something to do instead, and no line is shown', () => {
  for (const [key, { why, instead }] of Object.entries(refusedCloudConfig)) {
    assert.ok(why.length > 10 && instead.length > 5, key);
    assert.equal(problemsIn(`#cloud-config\n${key}: {a: 1}\n`).length, 1, key);
  }
});
