import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { configLimits, parseConfig } from '../index.ts';
import { ACCESS, configs, documents, MACHINE } from '../testing/configs.ts';
import { multipart, problemsIn, understood } from '../testing/user-data.ts';
import { writeConfig } from '../write-config.ts';
import { honouredCloudConfig } from './cloud-config.ts';
import { refusedCloudConfig } from './cloud-config-refused.ts';
import { readUserData } from './read-user-data.ts';

const own = documents(MACHINE, ACCESS);

test('documents of ours are what they are, byte for byte, packed or not', () => {
  const text = `# a comment\n${own}\n`;
  for (const given of [Buffer.from(text), gzipSync(text)]) {
    const { form, documents: kept, config } = understood(given);
    assert.deepEqual(
      [form, Buffer.from(kept).toString(), config.machine.name],
      ['documents', text, 'node-1'],
    );
  }
});

test('any config means the same as user data, as gzip, as a part, in a cloud-config and in Ignition', () => {
  fc.assert(
    fc.property(configs, (config) => {
      const text = writeConfig(config);
      const base64 = Buffer.from(text).toString('base64');
      for (const given of [
        text,
        gzipSync(text),
        multipart(['text/plain', text]),
        multipart(['application/yaml', base64.replaceAll(/.{76}/g, '$&\n'), 'base64']),
        `#cloud-config\nwrite_files: [{path: /etc/plinth/machine-config.yaml, encoding: b64, content: "${base64}"}]`,
        JSON.stringify({
          ignition: { version: '3.2.0' },
          storage: {
            files: [
              { path: '/etc/plinth/machine-config.yaml', contents: { source: `data:;base64,${base64}` } },
            ],
          },
        }),
      ]) {
        const read = understood(given);
        assert.deepEqual(read.config, config);
        const again = parseConfig(read.documents, 'again');
        assert.deepEqual(again, { ok: true, value: config });
      }
    }),
    { numRuns: 25 },
  );
});

test('parts of a multipart make one config', () => {
  const { config, form } = understood(
    multipart(
      ['text/cloud-config', 'hostname: node-4\nntp: {servers: [10.5.0.2]}'],
      ['text/plain', documents(ACCESS)],
      ['text/plain', documents({ kind: 'Sysctls', settings: { 'vm.max_map_count': 262144 } })],
    ),
  );
  assert.deepEqual(
    [form, config.machine.name, config.network?.ntp?.servers],
    ['multipart', 'node-4', ['10.5.0.2']],
  );
  assert.ok(config.sysctls);
});

test('a part may be packed, quoted, with Windows line ends, or Ignition', () => {
  const packed = gzipSync(documents(ACCESS)).toString('base64');
  const quoted = documents(MACHINE).replaceAll('=', '=3D').replaceAll('"', '=22');
  const given = multipart(
    ['application/gzip', packed, 'base64'],
    ['text/plain', `${quoted}=\n`, 'quoted-printable'],
  );
  assert.equal(understood(given.replaceAll('\n', '\r\n')).config.machine.name, 'node-1');
  const ignition = JSON.stringify({
    ignition: { version: '3.0.0' },
    storage: { files: [{ path: '/etc/hostname', contents: { source: 'data:,node-5' } }] },
  });
  const mixed = multipart(
    ['application/vnd.coreos.ignition+json', ignition],
    ['text/plain', documents(ACCESS)],
  );
  assert.equal(understood(mixed).config.machine.name, 'node-5');
});

/** User data that is refused, and what must be said. */
const refused: readonly (readonly [what: string, text: string | Uint8Array, said: RegExp])[] = [
  ['nothing', '', /no document/],
  ['a script', '#!/bin/sh\ntrue\n', /a script.*no shell/],
  ['an include', '#include\nhttps://example.com/a\n', /fetches nothing/],
  ['an archive', '#cloud-config-archive\n- a\n', /multipart/],
  ['a template', '## template: jinja\n#cloud-config\n', /template.*filled in/],
  ['a boot hook', '#cloud-boothook\ntrue\n', /boot hook/],
  ['base64', Buffer.from(own).toString('base64'), /base64, expected the text itself/],
  ['gzip in gzip', gzipSync(gzipSync(own)), /gzip within gzip/],
  ['cut gzip', gzipSync(own).subarray(0, 100), /damaged or cut off/],
  ['bytes after gzip', Buffer.concat([gzipSync(own), Buffer.from('more')]), /after the end of gzip|damaged/],
  ['an empty cloud-config', '#cloud-config\n', /no map of keys/],
  [
    'two YAML documents of cloud-config',
    '#cloud-config\nhostname: a\n---\nhostname: b\n',
    /second YAML document/,
  ],
  ['a part with a script', multipart(['text/x-shellscript', 'true']), /text\/x-shellscript.*cannot honour/],
  ['a part of a type nobody knows', multipart(['text/html', '<p>']), /text\/html.*text\/cloud-config/],
  [
    'a part within a part',
    multipart(['text/plain', multipart(['text/plain', own])]),
    /multipart|boundary|second time|after the last/,
  ],
  ['a cut multipart', multipart(['text/plain', own]).slice(0, -5), /cut off/],
  [
    'a header that merges',
    multipart(['text/plain', own]).replace('MIME', 'X-Merge-Type: list\nMIME'),
    /X-Merge-Type/,
  ],
  [
    'text before the parts',
    multipart(['text/plain', own]).replace('\n\n', '\n\nhello\n'),
    /before the first part/,
  ],
  ['another charset', multipart(['text/plain', own]).replaceAll('utf-8', 'utf-16'), /charset/],
  ['another encoding', multipart(['text/plain', own, 'x-uuencode']), /x-uuencode/],
  ['a message of one part', 'MIME-Version: 1.0\nContent-Type: text/plain\n\nhi', /expected multipart/],
  [
    'one thing in two parts',
    multipart(['text/plain', own], ['text/cloud-config', 'hostname: b']),
    /a second Machine/,
  ],
  [
    'a part without a config',
    multipart(['text/cloud-config', 'hostname: b']),
    /ApiAccess, expected one; add/,
  ],
];

for (const [what, text, said] of refused) {
  test(`user data that is ${what} is refused`, () => {
    const problems = problemsIn(text);
    assert.ok(problems.length > 0);
    assert.match(problems.join('\n'), said);
  });
}

test('nothing of a cloud-config is left out: each key is honoured, told, or asks for nothing', () => {
  const word = fc.oneof(
    fc.constantFrom(...honouredCloudConfig, ...Object.keys(refusedCloudConfig)),
    fc.stringMatching(/^[a-z_]{1,12}$/),
  );
  fc.assert(
    fc.property(word, fc.constantFrom('x', 7, true, { a: 'x' }, ['x']), (key, value) => {
      const files = [{ path: '/etc/plinth/machine-config.yaml', content: documents(ACCESS) }];
      const given = { write_files: files, [key]: value };
      const read = readUserData(Buffer.from(`#cloud-config\n${JSON.stringify(given)}`), 'x');
      const plain = readUserData(
        Buffer.from(`#cloud-config\n${JSON.stringify({ hostname: 'x', ...given })}`),
        'x',
      );
      assert.ok(!read.ok || read.value.config.machine.name === 'x');
      // Accepted beside a name only when it is the name, or says what is so.
      if (plain.ok)
        assert.ok(
          key === 'hostname' || key === 'fqdn' || (refusedCloudConfig[key]?.soAlready ?? []).includes(value),
          key,
        );
    }),
  );
});

const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 'a: b\n')).toString('base64');
const full = (text: string) => text.repeat(Math.floor(configLimits.bytes / text.length));
const entry = `{path: /etc/plinth/machine-config.yaml, encoding: gz+b64, content: ${bomb}}`;
const packed = gzipSync(Buffer.alloc(200 * 1024, '#')).toString('base64');
const hostile: readonly (readonly [what: string, text: string | Uint8Array])[] = [
  ['2 MB', '#cloud-config\n'.padEnd(2_000_000, 'a: b\n')],
  ['a bomb of gzip', gzipSync(Buffer.alloc(256 * 1024 * 1024))],
  ['a bomb in a file', `#cloud-config\nwrite_files: [${entry}]`],
  ['a bomb in a part', multipart(['application/gzip', bomb, 'base64'])],
  [
    'many that together are a bomb',
    multipart(...Array.from({ length: 60 }, () => ['application/gzip', packed, 'base64'] as const)),
  ],
  [
    '10,000 parts',
    multipart(...Array.from({ length: 10_000 }, () => ['a/b', ''] as const)).slice(0, configLimits.bytes),
  ],
  ['10,000 bare parts', `Content-Type: multipart/mixed; boundary=a\n\n${'--a\n\n'.repeat(10_000)}--a--`],
  ['10,000 headers', `MIME-Version: 1.0\n${'Subject: a\n'.repeat(10_000)}`],
  ['one long header', `MIME-Version: ${full('a ').slice(0, 200_000)}\n`],
  ['one long folded header', `Subject: a\n${' a\n'.repeat(60_000)}`],
  ['many parameters', `Content-Type: multipart/mixed${'; a="'.repeat(40_000)}`.slice(0, configLimits.bytes)],
  [
    'delimiters that are none',
    `Content-Type: multipart/mixed; boundary=a\n\n${full('--ab\n').slice(0, 250_000)}`,
  ],
  ['deep brackets', `#cloud-config\nusers: ${'['.repeat(20_000)}`],
  ['aliases that multiply', '#cloud-config\na: &a [x,x]\nb: [*a,*a]\n'],
  ['unknown keys', `#cloud-config\n${Array.from({ length: 8_000 }, (_, i) => `hostnam${i}: 1`).join('\n')}`],
  ['a long key', `#cloud-config\n? ${full('k').slice(0, 200_000)}\n: 1`],
  ['many files', `#cloud-config\nwrite_files: [${'{path: /a},'.repeat(3_000)}]`],
  [
    'many wrong files',
    JSON.stringify({
      ignition: { version: '3.4.0' },
      storage: { files: Array.from({ length: 2_000 }, () => ({ a: 1, b: 2 })) },
    }),
  ],
  ['a long path', `#cloud-config\nwrite_files: [{path: /${full('a').slice(0, 200_000)}}]`],
  ['NUL', '#cloud-config\nhostname: "a\0"\n'],
  ['bad UTF-8', Buffer.concat([Buffer.from('#cloud-config\nhostname: '), Buffer.of(0xc3, 0x28)])],
  ['UTF-16', Buffer.from('#cloud-config\nhostname: a\n', 'utf16le')],
  ['__proto__', '#cloud-config\n__proto__: {hostname: a}\n'],
  ['constructor', '#cloud-config\nconstructor: {hostname: a}\nhasOwnProperty: 1\n'],
  ['Ignition with a list for a key', '{"ignition": [], "storage": {"files": {"a": 1}}}'],
  [
    'percent signs',
    JSON.stringify({
      ignition: { version: '3.4.0' },
      storage: { files: [{ path: '/etc/hostname', contents: { source: `data:,${'%41'.repeat(60_000)}` } }] },
    }),
  ],
];

for (const [what, text] of hostile) {
  test(`user data with ${what} is refused, at once and in few words`, () => {
    const start = performance.now();
    const read = readUserData(Buffer.from(text), 'user data');
    const tookMs = performance.now() - start;
    assert.ok(!read.ok);
    assert.ok(tookMs < 60_000, `${tookMs} ms`);
    assert.ok(read.diagnostics.length <= 100, `${read.diagnostics.length} problems`);
    for (const { message, hint = '' } of read.diagnostics)
      assert.ok(message.length + hint.length < 1_500, message.slice(0, 200));
  });
}

test('readUserData never throws, whatever is cut, swapped or mixed in', () => {
  const samples = [
    multipart(['text/cloud-config', 'hostname: a'], ['text/plain', documents(ACCESS)]),
    `#cloud-config\nhostname: a\nntp: {servers: [a]}\nwrite_files:\n  - path: /etc/hostname\n    content: a\n`,
    JSON.stringify({
      ignition: { version: '3.4.0' },
      storage: { files: [{ path: '/etc/hostname', contents: { source: 'data:,a' } }] },
    }),
    gzipSync(own).toString('latin1'),
  ];
  const edits = fc.array(
    fc.tuple(fc.nat(2_000), fc.constantFrom('', '{', ']', '\n', '--', ': ', '\0', '"', '%', '=', '&a')),
    {
      maxLength: 5,
    },
  );
  fc.assert(
    fc.property(fc.constantFrom(...samples), edits, fc.nat(2_000), (sample, some, cut) => {
      let text = sample;
      for (const [at, piece] of some) text = `${text.slice(0, at)}${piece}${text.slice(at + piece.length)}`;
      const read = readUserData(
        Buffer.from(text.slice(0, Math.max(1, text.length - (cut % 50))), 'latin1'),
        'x',
      );
      if (!read.ok) assert.ok(read.diagnostics.length > 0);
    }),
    { numRuns: 400 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
      assert.equal(readUserData(bytes, 'x').ok, false),
    ),
  );
});
