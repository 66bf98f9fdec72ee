import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Inventory, VexPredicate } from '../model/index.ts';
import { evaluatePredicate, type ProgramFacts, recheck, sortStatements } from './index.ts';

const provenance = { source: 'manifest', locator: 'test' } as const;
const binary = {
  name: 'libssl3t64',
  version: '3.5.7-1~deb13u3',
  architecture: 'amd64',
  source: 'openssl',
  sourceVersion: '3.5.7-1~deb13u3',
  builtUsing: [],
  staticBuiltUsing: [{ source: 'golang-1.24', version: '1.24.4-1' }],
  filesPresent: 'all',
  provenance,
} as const;
const image: Inventory = {
  format: 1,
  subject: {
    kind: 'root',
    name: 'test',
    architecture: 'amd64',
    distribution: 'debian 13',
    codename: 'trixie',
  },
  inputs: [],
  binaries: [binary],
  goPrograms: [
    { path: '/usr/bin/runc', goVersion: 'go1.24.4', modules: [], modulesRecorded: false, provenance },
  ],
  npmModules: [{ name: 'undici', version: '7.0.0', provenance }],
  kernel: {
    release: '6.12.117+deb13-cloud-amd64',
    config: { CONFIG_64BIT: 'y', CONFIG_EXT4_FS: 'y', CONFIG_KVM: 'm' },
    modules: ['kvm', 'nf_tables'],
    builtin: ['ext4'],
    denied: ['kvm'],
    provenance,
  },
  files: ['/usr/bin/runc', '/usr/lib/x86_64-linux-gnu/libssl.so.3'],
  gaps: [],
};
const { kernel: _kernel, files: _files, ...withoutKernelOrFiles } = image;
const bare: Inventory = {
  ...withoutKernelOrFiles,
  binaries: [],
  goPrograms: [],
  subject: { ...image.subject, architecture: '' },
};
const programs: ProgramFacts = {
  elf: new Map([
    ['/usr/bin/curl', { needed: ['libssl.so.3'], symbols: new Set(['SSL_read']), loadsByName: false }],
    ['/usr/bin/plugin', { needed: ['libdl.so.2'], symbols: new Set(['dlsym']), loadsByName: true }],
  ]),
  goFunctions: new Map([
    ['/usr/bin/runc', new Set(['net/http.(*Server).Serve', 'slices.Sort[go.shape.int]'])],
  ]),
  unread: [],
};
const now = new Date('2026-11-22T12:00:00Z');
const until = (expiresAt: string) =>
  ({ kind: 'human', author: 'Jane Doe', reason: 'no untrusted input reaches it', expiresAt }) as const;

/** Each predicate: one that holds, one that does not, and what happens when the facts are missing. */
const cases: readonly (readonly [VexPredicate, VexPredicate, Inventory | undefined])[] = [
  [
    { kind: 'path-absent', paths: ['/usr/bin/docker'] },
    { kind: 'path-absent', paths: ['usr/bin/runc'] },
    bare,
  ],
  [{ kind: 'path-absent', paths: ['/usr/bin/run'] }, { kind: 'path-absent', paths: ['/bin/runc'] }, bare],
  [{ kind: 'path-absent', paths: ['/opt'] }, { kind: 'path-absent', paths: ['/lib/x86_64-linux-gnu'] }, bare],
  [{ kind: 'package-absent', packages: ['expat'] }, { kind: 'package-absent', packages: ['openssl'] }, bare],
  [
    { kind: 'package-absent', packages: ['npm:ws'] },
    { kind: 'package-absent', packages: ['npm:undici'] },
    bare,
  ],
  [
    { kind: 'package-absent', packages: ['golang-1.23'] },
    { kind: 'package-absent', packages: ['golang-1.24'] },
    bare,
  ],
  [
    { kind: 'config-off', symbols: ['CONFIG_F2FS_FS'] },
    { kind: 'config-off', symbols: ['CONFIG_F2FS_FS', 'CONFIG_KVM'] },
    bare,
  ],
  [{ kind: 'module-absent', modules: ['f2fs'] }, { kind: 'module-absent', modules: ['nf-tables'] }, bare],
  [{ kind: 'module-absent', modules: ['f2fs'] }, { kind: 'module-absent', modules: ['ext4'] }, bare],
  [
    { kind: 'module-denied', modules: ['kvm', 'f2fs'] },
    { kind: 'module-denied', modules: ['nf_tables'] },
    bare,
  ],
  [{ kind: 'module-denied', modules: ['kvm'] }, { kind: 'module-denied', modules: ['ext4'] }, bare],
  [
    { kind: 'other-architecture', affected: ['arm64'] },
    { kind: 'other-architecture', affected: ['amd64', 'arm64'] },
    bare,
  ],
  [
    { kind: 'symbol-not-imported', library: 'libssl.so.3', symbols: ['SSL_write'] },
    { kind: 'symbol-not-imported', library: 'libssl.so.3', symbols: ['SSL_write', 'SSL_read'] },
    undefined,
  ],
  [
    {
      kind: 'go-symbol-absent',
      paths: ['/usr/bin/runc', '/usr/bin/gone'],
      symbols: ['archive/zip.NewReader'],
    },
    { kind: 'go-symbol-absent', paths: ['/usr/bin/runc'], symbols: ['net/http.(*Server).Serve'] },
    undefined,
  ],
  [
    { kind: 'go-symbol-absent', paths: ['/usr/bin/runc'], symbols: ['slices.SortFunc'] },
    { kind: 'go-symbol-absent', paths: ['/usr/bin/runc'], symbols: ['slices.Sort'] },
    undefined,
  ],
  [until('2026-11-23T00:00:00Z'), until('2026-11-22T12:00:00Z'), undefined],
];
for (const [index, [holding, failing, missing]] of cases.entries()) {
  test(`${holding.kind} (${index + 1}): holds, does not hold, and is unknown without facts`, () => {
    assert.equal(evaluatePredicate(holding, image, now, programs).holds, 'yes');
    assert.equal(evaluatePredicate(failing, image, now, programs).holds, 'no');
    if (missing) assert.equal(evaluatePredicate(holding, missing, now, programs).holds, 'unknown');
    else if (holding.kind !== 'human') assert.equal(evaluatePredicate(holding, image, now).holds, 'unknown');
  });
}

test('a predicate about nothing, and a judgement without author or end, are unknown', () => {
  const empty: readonly VexPredicate[] = [
    { kind: 'path-absent', paths: [] },
    { kind: 'config-off', symbols: [] },
    { kind: 'module-absent', modules: [] },
    { kind: 'other-architecture', affected: [] },
    { kind: 'symbol-not-imported', library: 'libc.so.6', symbols: [] },
    { kind: 'go-symbol-absent', paths: [], symbols: ['x'] },
    { kind: 'human', author: '', reason: 'x', expiresAt: '2030-01-01T00:00:00Z' },
    { kind: 'human', author: 'x', reason: 'x', expiresAt: 'never' },
  ];
  for (const predicate of empty)
    assert.equal(evaluatePredicate(predicate, image, now, programs).holds, 'unknown');
});

test('a name that is written as no fact is shows nothing by being absent', () => {
  const misspelt: readonly VexPredicate[] = [
    { kind: 'config-off', symbols: ['CONFIG_F2FS_FS', 'EXT4_FS'] },
    { kind: 'module-absent', modules: ['kvm.ko'] },
    { kind: 'module-absent', modules: ['kernel/arch/x86/kvm/kvm.ko.xz'] },
    { kind: 'module-denied', modules: ['nf_tables.ko'] },
    { kind: 'package-absent', packages: ['libssl3t64:amd64'] },
    { kind: 'path-absent', paths: ['/usr/sbin/../bin/runc'] },
    { kind: 'path-absent', paths: ['/usr/bin/run*'] },
    { kind: 'other-architecture', affected: ['x86_64'] },
    { kind: 'other-architecture', affected: ['x86'] },
    { kind: 'symbol-not-imported', library: 'libssl.so.3', symbols: ['SSL_read@@OPENSSL_3.0.0'] },
  ];
  for (const predicate of misspelt) {
    const outcome = evaluatePredicate(predicate, image, now, programs);
    assert.equal(outcome.holds, 'unknown', JSON.stringify(predicate));
    assert.match(outcome.detail, /no fact of an image is written like/);
  }
  assert.equal(evaluatePredicate({ kind: 'path-absent', paths: ['/usr/bin/['] }, image, now).holds, 'yes');
});

test('what may be used without being imported is unknown, not absent', () => {
  const elf = new Map([
    ['/usr/bin/loader', { needed: ['libssl.so.3'], symbols: new Set(['dlsym']), loadsByName: true }],
  ]);
  const predicate: VexPredicate = {
    kind: 'symbol-not-imported',
    library: 'libssl.so.3',
    symbols: ['SSL_write'],
  };
  assert.equal(evaluatePredicate(predicate, image, now, { elf, unread: [] }).holds, 'unknown');
  assert.equal(
    evaluatePredicate(predicate, image, now, { ...programs, unread: ['/usr/bin/odd'] }).holds,
    'unknown',
  );
  const named: VexPredicate = {
    kind: 'go-symbol-absent',
    paths: ['runc'],
    symbols: ['archive/zip.NewReader'],
  };
  assert.equal(evaluatePredicate(named, image, now, programs).holds, 'unknown', 'a name is no path');
  const go: VexPredicate = { kind: 'package-absent', packages: ['go:golang.org/x/net'] };
  assert.equal(evaluatePredicate(go, image, now).holds, 'unknown', 'runc records no modules');
  const cut: Inventory = { ...image, kernel: { release: '6.12', config: { CONFIG_NET: 'y' }, provenance } };
  assert.equal(
    evaluatePredicate({ kind: 'config-off', symbols: ['CONFIG_F2FS_FS'] }, cut, now).holds,
    'unknown',
  );
});

test('recheck reopens an identifier when its last reason is gone', () => {
  const statement = (id: string, predicate: VexPredicate) =>
    ({ id, justification: 'vulnerable_code_not_present', predicate }) as const;
  const statements = [
    statement('CVE-2026-0001', { kind: 'config-off', symbols: ['CONFIG_F2FS_FS'] }),
    statement('CVE-2026-0002', { kind: 'config-off', symbols: ['CONFIG_KVM'] }),
    statement('CVE-2026-0003', { kind: 'config-off', symbols: ['CONFIG_KVM'] }),
    statement('CVE-2026-0003', { kind: 'module-denied', modules: ['kvm'] }),
  ];
  const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);
  const result = sortStatements(recheck(statements, image, now));
  assert.deepEqual(ids(result.held), ['CVE-2026-0001', 'CVE-2026-0003']);
  assert.deepEqual(ids(result.reopened), ['CVE-2026-0002']);
  assert.deepEqual(ids(sortStatements(recheck(statements, bare, now)).unknown).length, 4);
});
