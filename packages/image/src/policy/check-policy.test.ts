import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { run } from '@plinth/host';
import fc from 'fast-check';
import { scanTree } from '../scan-tree.ts';
import { checkBudgets, checkPolicy, type PolicyReport } from './check-policy.ts';
import { gatherFacts } from './gather-facts.ts';
import { makeElf } from './make-elf.testing.ts';
import { type Policy, parsePolicy } from './policy.ts';
import { requirePolicy } from './require-policy.ts';

const base = `
execPaths: [/usr, /opt]
libraryPaths: [/usr/lib]
packages: { max: 3 }
budgetsMiB: { root: 10 }
forbidden:
  - rule: shell
    what: a shell
    names: [sh, "*sh"]
    packages: [dash]
    needs: ["libreadline.so*"]
    contains: ["job control turned off"]
`;
const policyWith = (more = ''): Policy => parsePolicy(base + more, 'policy.yaml');

type Content = Buffer | string | { readonly link: string };
interface Sample {
  readonly files?: Readonly<Record<string, Content>>;
  readonly modes?: Readonly<Record<string, number>>;
  readonly capabilities?: Readonly<Record<string, string>>;
  readonly packages?: readonly string[];
  readonly policy?: string;
  readonly today?: string;
  readonly prepare?: (rootDir: string) => Promise<void>;
}

/** Makes the tree on disk, scans it and runs the gate over it, as the builder does. */
async function check(sample: Sample): Promise<PolicyReport> {
  const rootDir = await mkdtemp(join(tmpdir(), 'plinth-policy-'));
  try {
    for (const [path, content] of Object.entries(sample.files ?? {})) {
      await mkdir(join(rootDir, dirname(path)), { recursive: true });
      if (typeof content === 'string' || Buffer.isBuffer(content))
        await writeFile(join(rootDir, path), content);
      else await symlink(content.link, join(rootDir, path));
    }
    for (const [path, mode] of Object.entries(sample.modes ?? {})) await chmod(join(rootDir, path), mode);
    await sample.prepare?.(rootDir);
    const owners = new Map(Object.keys(sample.files ?? {}).map((path) => [path, 'demo']));
    const tree = await scanTree(rootDir, owners);
    const policy = policyWith(sample.policy);
    const facts = await gatherFacts(tree, policy, {
      packages: sample.packages ?? ['demo'],
      readCapabilities: async () => new Map(Object.entries(sample.capabilities ?? {})),
    });
    return checkPolicy(tree, policy, facts, sample.today ?? '2026-11-21');
  } finally {
    await rm(rootDir, { recursive: true });
  }
}

const found = ({ findings }: PolicyReport) => findings.map(({ rule, subject }) => `${rule} ${subject}`);

test('a clean tree passes', async () => {
  const report = await check({
    files: {
      '/usr/bin/tool': makeElf({ needed: ['libx.so.1'], interpreter: '/usr/lib/ld.so' }),
      '/usr/lib/ld.so': makeElf(),
      '/usr/lib/libx.so.1': { link: 'libx.so.1.2' },
      '/usr/lib/libx.so.1.2': makeElf(),
    },
  });
  assert.deepEqual(report, { findings: [], waived: [], staleWaivers: [] });
});

test('shell: found by name, link, package, library and content, under any name', async () => {
  const report = await check({
    files: {
      '/usr/bin/zsh': makeElf(),
      '/usr/bin/sh': { link: 'harmless' },
      '/usr/bin/harmless': makeElf({ text: 'x: job control turned off' }),
      '/usr/bin/prompt': makeElf({ needed: ['libreadline.so.8'] }),
      '/usr/lib/libreadline.so.8': makeElf(),
      '/usr/share/data/sh': 'no program at all',
      '/var/zsh': makeElf(),
    },
    modes: { '/usr/bin/harmless': 0o755, '/usr/share/data/sh': 0o644 },
    packages: ['demo', 'dash'],
  });
  assert.deepEqual(found(report).sort(), [
    'shell /usr/bin/harmless',
    'shell /usr/bin/prompt',
    'shell /usr/bin/sh',
    'shell /usr/bin/zsh',
    'shell package dash',
  ]);
});

test('script: a file that starts with "#!" in an exec path, whatever its mode', async () => {
  const files = {
    '/usr/lib/helper': '#!/bin/false\n',
    '/opt/x': '#! /usr/bin/env node',
    '/srv/y': '#!/bin/sh',
  };
  const report = await check({ files, modes: { '/usr/lib/helper': 0o644 } });
  assert.deepEqual(found(report), ['script /opt/x', 'script /usr/lib/helper']);
  assert.match(report.findings[1]?.reason ?? '', /script for "\/bin\/false"/);
});

test('setuid and setgid programs must be listed; a setgid folder is none', async () => {
  const sample = {
    files: { '/usr/bin/a': 'a', '/usr/bin/b': 'b', '/usr/bin/c': 'c', '/srv/d/e': 'e' },
    modes: { '/usr/bin/a': 0o4755, '/usr/bin/b': 0o2755, '/usr/bin/c': 0o6755, '/srv/d': 0o2755 },
  };
  assert.deepEqual(found(await check(sample)), [
    'setuid /usr/bin/a',
    'setuid /usr/bin/b',
    'setuid /usr/bin/c',
  ]);
  const listed = 'setuid: [{ path: /usr/bin/c, reason: it is needed for a test }]\n';
  assert.deepEqual(found(await check({ ...sample, policy: listed })), [
    'setuid /usr/bin/a',
    'setuid /usr/bin/b',
  ]);
});

test('capability: listed ones pass only with exactly the listed capabilities', async () => {
  const policy =
    'capabilities: [{ path: /usr/bin/a, capabilities: cap_net_raw=ep, reason: it pings for a test }]\n';
  const files = { '/usr/bin/a': 'a' };
  const capabilities = { '/usr/bin/a': 'cap_net_raw=ep' };
  assert.deepEqual(found(await check({ files, capabilities, policy })), []);
  assert.deepEqual(found(await check({ files, capabilities })), ['capability /usr/bin/a']);
  const more = { '/usr/bin/a': 'cap_sys_admin,cap_net_raw=ep' };
  assert.deepEqual(found(await check({ files, capabilities: more, policy })), ['capability /usr/bin/a']);
});

test('library-missing: runpath, $ORIGIN and the machine count; a library elsewhere does not', async () => {
  const report = await check({
    files: {
      '/usr/bin/found-by-runpath': makeElf({ needed: ['liba.so'], runpath: '/usr/lib/private' }),
      '/usr/bin/found-by-origin': makeElf({ needed: ['liba.so'], runpath: '$ORIGIN/../lib/private' }),
      '/usr/bin/lost': makeElf({ needed: ['liba.so'] }),
      '/usr/bin/other-machine': makeElf({ needed: ['libb.so'] }),
      '/usr/bin/no-loader': makeElf({ interpreter: '/lib64/ld.so' }),
      '/usr/lib/private/liba.so': makeElf(),
      '/usr/lib/libb.so': makeElf({ machine: 183 }),
    },
  });
  assert.deepEqual(found(report), [
    'library-missing /usr/bin/lost',
    'library-missing /usr/bin/no-loader',
    'library-missing /usr/bin/other-machine',
  ]);
});

test('library-missing: a private library leans on what all its users have loaded before it', async () => {
  const pair = {
    '/usr/lib/own/libcore.so': makeElf({ needed: ['libshared.so'] }),
    '/usr/lib/own/libshared.so': makeElf(),
  };
  const user = (...needed: string[]) => makeElf({ needed, runpath: '/usr/lib/own' });
  const good = { ...pair, '/usr/bin/init': user('libcore.so', 'libshared.so') };
  assert.deepEqual(found(await check({ files: good })), []);
  const mixed = { ...good, '/usr/bin/other': user('libcore.so') };
  assert.deepEqual(found(await check({ files: mixed })), ['library-missing /usr/lib/own/libcore.so']);
  assert.deepEqual(found(await check({ files: pair })), ['library-missing /usr/lib/own/libcore.so']);
});

test('dlopen-missing: required and recommended libraries need an exception, any alternative is enough', async () => {
  const note = (priority: string, ...soname: string[]) => [{ feature: `f-${soname[0]}`, soname, priority }];
  const files = {
    '/usr/bin/a': makeElf({ dlopen: note('required', 'liba.so') }),
    '/usr/bin/b': makeElf({ dlopen: note('recommended', 'libgone.so', 'libhere.so') }),
    '/usr/bin/c': makeElf({ dlopen: note('suggested', 'libc-extra.so') }),
    '/usr/bin/d': makeElf({ dlopen: note('recommended', 'libd.so') }),
    '/usr/lib/libhere.so': makeElf(),
  };
  assert.deepEqual(found(await check({ files })), ['dlopen-missing /usr/bin/a', 'dlopen-missing /usr/bin/d']);
  const policy =
    'dlopenWithout: [{ feature: f-liba.so, reason: not used here }, { soname: "libd.so*", reason: not used here }]\n';
  assert.deepEqual(found(await check({ files, policy })), []);
});

test('elf-unreadable: a program cut short is never taken for one without needs', async () => {
  const whole = makeElf({ needed: ['libx.so'] });
  const report = await check({ files: { '/usr/bin/cut': whole.subarray(0, 100) } });
  assert.deepEqual(found(report), ['elf-unreadable /usr/bin/cut']);
});

test('world-writable: files and folders, but no sticky folder and no link', async () => {
  const report = await check({
    files: { '/etc/a': 'a', '/tmp/keep': '', '/srv/open/b': '', '/etc/link': { link: 'a' } },
    modes: { '/etc/a': 0o666, '/tmp': 0o1777, '/srv/open': 0o777 },
  });
  assert.deepEqual(found(report), ['world-writable /etc/a', 'world-writable /srv/open']);
});

test('dangling-link: allowed by target or by path only; loops dangle', async () => {
  const files = {
    '/etc/resolv.conf': { link: '../run/resolve/stub' },
    '/etc/lost': { link: 'nowhere' },
    '/etc/loop': { link: 'loop' },
    '/etc/root': { link: '/' },
    '/etc/up': { link: '../../../etc/root/etc' },
  };
  const policy = 'danglingLinks: [{ target: "/run/**", reason: made at run time }]\n';
  assert.deepEqual(found(await check({ files, policy })), [
    'dangling-link /etc/loop',
    'dangling-link /etc/lost',
  ]);
});

test('special-file and foreign-owner', {
  skip: process.getuid?.() !== 0 && 'only root may make devices',
}, async () => {
  const report = await check({
    files: { '/etc/theirs': 'x' },
    prepare: async (rootDir) => {
      await run('mknod', [join(rootDir, 'null'), 'c', '1', '3']);
      await run('chown', ['12:34', join(rootDir, 'etc/theirs')]);
    },
  });
  assert.deepEqual(found(report), ['special-file /null', 'foreign-owner /etc/theirs']);
});

test('special-file: a pipe, which anyone may make', async () => {
  const report = await check({
    prepare: async (rootDir) => void (await run('mkfifo', [join(rootDir, 'pipe')])),
  });
  assert.deepEqual(found(report), ['special-file /pipe']);
});

test('package-count', async () => {
  assert.deepEqual(found(await check({ packages: ['a', 'b', 'c'] })), []);
  assert.deepEqual(found(await check({ packages: ['a', 'b', 'c', 'd'] })), ['package-count packages']);
});

test('size-budget: too large and not measured are both findings', () => {
  const rules = (sizes: Record<string, number>) => found(checkBudgets(policyWith(), sizes, '2026-11-21'));
  assert.deepEqual(rules({ root: 10 * 2 ** 20, other: 2 ** 40 }), []);
  assert.deepEqual(rules({ root: 10 * 2 ** 20 + 1 }), ['size-budget root']);
  assert.deepEqual(rules({}), ['size-budget root']);
});

test('waivers: valid through their last day, then a finding; one that excuses nothing is a finding', async () => {
  const waiver = (path: string, expires: string) =>
    `waivers: [{ name: ada, rule: script, path: "${path}", reason: mended next week, expires: ${expires} }]\n`;
  const files = { '/usr/lib/helper': '#!/bin/false\n' };
  const on = (today: string, path = '/usr/lib/*') =>
    check({ files, policy: waiver(path, '2026-11-30'), today });

  const last = await on('2026-11-30');
  assert.deepEqual([last.findings.length, last.waived.length, last.staleWaivers.length], [0, 1, 0]);
  requirePolicy(last);

  const late = await on('2026-12-01');
  assert.deepEqual(found(late), ['script /usr/lib/helper']);
  assert.throws(
    () => requirePolicy(late),
    (error) =>
      error instanceof PlinthError &&
      error.code === 'policy/violations' &&
      error.diagnostics.map(({ code }) => code).join() === 'policy/script,policy/waiver-expired',
  );
  assert.deepEqual((await on('2026-11-30', '/etc/*')).staleWaivers[0]?.state, 'unused');
});

test('property: every script in an exec path is found, wherever it lies and whatever its mode', async () => {
  const name = fc.stringMatching(/^[a-z]{1,6}$/).filter((text) => !text.endsWith('sh'));
  const path = fc
    .array(name, { minLength: 1, maxLength: 4 })
    .map((parts) => `/usr/${parts.join('/')}.d/file`);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(path, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 0o400, max: 0o777 }).map((mode) => mode & 0o775),
      async (paths, mode) => {
        const report = await check({
          files: Object.fromEntries(paths.map((at) => [at, '#!/x'])),
          modes: Object.fromEntries(paths.map((at) => [at, mode | 0o400])),
        });
        assert.deepEqual(found(report).sort(), paths.map((at) => `script ${at}`).sort());
      },
    ),
    { numRuns: 30 },
  );
});

test('property: a waiver changes where findings are listed, never how many there are', async () => {
  const files = { '/usr/a': '#!/x', '/usr/b': '#!/x', '/opt/c': '#!/x', '/opt/zsh': makeElf() };
  const waiver = fc.record({
    rule: fc.constantFrom('script', 'shell', 'setuid'),
    path: fc.constantFrom('/usr/*', '/opt/*', '/opt/zsh', '**', '/nowhere'),
    expires: fc.constantFrom('2026-01-01', '2027-01-01'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(waiver, { maxLength: 4 }), async (waivers) => {
      const list = waivers.map((one) => ({ name: 'ada', reason: 'for a test', ...one }));
      const report = await check({ files, policy: `waivers: ${JSON.stringify(list)}\n` });
      assert.equal(report.findings.length + report.waived.length, 4);
      assert.ok(report.waived.every(({ waiver: used }) => used.expires === '2027-01-01'));
    }),
    { numRuns: 30 },
  );
});
