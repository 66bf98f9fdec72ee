import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { openAdvisoryStore, readPolicy, watch } from '@plinth/advisory';
import { scratchFolder } from '@plinth/host/testing';
import { initKeys, loadKeys } from '@plinth/trust';
import { runCli } from '../run-cli.ts';

const NOW_MS = Date.now();
const iso = (offsetMs: number) => new Date(NOW_MS + offsetMs).toISOString();
const DAY_MS = 24 * 3600 * 1000;

/** A Debian root with one package, and a state directory whose feeds say what the options tell. */
async function world(options: { readonly validDays: number; readonly fixes: readonly string[] }) {
  const folder = await scratchFolder('cve');
  const files = {
    'root/var/lib/dpkg/status':
      'Package: libssl3t64\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\nVersion: 3.5.7-1~deb13u2\n',
    'root/etc/os-release': 'ID=debian\nVERSION_ID=13\nVERSION_CODENAME=trixie\n',
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const store = await openAdvisoryStore(join(folder, 'state', 'advisory', 'feeds.sqlite'));
  for (const suite of ['trixie', 'trixie-updates', 'trixie-security']) {
    await store.replaceOffers(
      {
        name: `debian-index:${suite}`,
        ...{ date: iso(-DAY_MS), fetchedAt: iso(-DAY_MS), validUntil: iso(options.validDays * DAY_MS) },
        ...{
          validitySource: 'feed',
          sha256: 'a'.repeat(64),
          sizeBytes: 0,
          authenticity: 'archive-signature',
        },
      },
      suite === 'trixie-security'
        ? [{ source: 'openssl', version: '3.5.7-1~deb13u3', binaries: ['libssl3t64'], changelogIn: [] }]
        : [],
    );
  }
  const version = '3.5.7-1~deb13u3';
  await store.putChangelog({
    ...{ source: 'openssl', version, state: 'read', detail: 'a test' },
    entries: [
      {
        version,
        date: iso(-5 * DAY_MS),
        distributions: ['trixie-security'],
        claims: options.fixes.map((id) => ({
          id,
          role: 'fixes',
          version,
          text: `Fix ${id}`,
          confidence: 'stated',
        })),
      },
    ],
  });
  await store.close();
  const plinth = async (...argv: string[]) => {
    const out: string[] = [];
    const err: string[] = [];
    const surroundings = {
      stdout: { write: (text: string) => out.push(text) },
      stderr: { write: (text: string) => err.push(text) },
      env: { PLINTH_STATE_DIR: join(folder, 'state') },
    };
    const words = argv.map((word) => word.replace('ROOT', join(folder, 'root')));
    const exitCode = await runCli(words, surroundings, new AbortController().signal);
    return { exitCode, stdout: out.join(''), stderr: err.join('') };
  };
  return Object.assign(plinth, { root: join(folder, 'root') });
}

test('what is open, with its fix; CI is told by the exit code', async () => {
  const plinth = await world({ validDays: 5, fixes: ['CVE-2026-35189'] });
  const { exitCode, stdout } = await plinth('cve', 'scan', 'ROOT', '--offline', '-q');
  assert.equal(exitCode, 0);
  assert.match(stdout, /CVE-2026-35189 +open +not known +openssl +3\.5\.7-1~deb13u3 +5d/);
  assert.match(stdout, /1 known to be open.*more may be open/);
  for (const line of stdout.split('\n').slice(0, 2)) assert.ok(line.length <= 100, line);
  assert.equal((await plinth('cve', 'scan', 'ROOT', '--offline', '-q', '--exit-code')).exitCode, 3);
});

test('nothing found is not clean while a feed is missing', async () => {
  const plinth = await world({ validDays: -1, fixes: ['CVE-2026-35189'] });
  const { exitCode, stdout } = await plinth(
    'cve',
    'scan',
    'ROOT',
    '--offline',
    '-q',
    '--exit-code',
    '-o',
    'json',
  );
  assert.equal(exitCode, 3);
  const report = JSON.parse(stdout);
  assert.equal(report.complete, false);
  assert.equal(
    report.feeds.find((feed: { name: string }) => feed.name === 'debian-index:trixie-security').condition,
    'stale',
  );
  assert.match(report.gaps.join('\n'), /whether newer fixes exist is unknown since/);
});

test('--explain spells the derivation; an identifier nobody names is an error that says what is missing', async () => {
  const plinth = await world({ validDays: 5, fixes: ['CVE-2026-35189'] });
  const { stdout } = await plinth('cve', 'scan', 'ROOT', '--offline', '--explain', 'cve-2026-35189', '-q');
  assert.match(stdout, /because +openssl 3\.5\.7-1~deb13u2 is in the image, 3\.5\.7-1~deb13u3 fixes it/);
  assert.match(stdout, /open, by changelog \(stated\): entry 3\.5\.7-1~deb13u3: Fix CVE-2026-35189/);
  assert.match(stdout, /debian-index:trixie-security: fresh/);
  const none = await plinth('cve', 'scan', 'ROOT', '--offline', '--explain', 'CVE-1999-0001', '-q');
  assert.equal(none.exitCode, 2);
  assert.match(none.stderr, /advisory\/not-found.*no feed at hand names it, and some are missing/);
});

test('many identifiers of one step are one line; -o wide and -o name have each', async () => {
  const fixes = Array.from({ length: 9 }, (_, index) => `CVE-2026-1000${index}`);
  const plinth = await world({ validDays: 5, fixes });
  const folded = await plinth('cve', 'scan', 'ROOT', '--offline', '-q');
  assert.match(folded.stdout, /^9: CVE-2026-10000 … +open/m);
  const names = await plinth('cve', 'scan', 'ROOT', '--offline', '-q', '-o', 'name');
  assert.deepEqual(names.stdout.trim().split('\n'), fixes);
  const wide = await plinth('cve', 'scan', 'ROOT', '--offline', '-q', '-o', 'wide');
  assert.equal(wide.stdout.match(/^CVE-2026-1000/gm)?.length, 9);
});

test('the same verdicts in the forms of other programs', async () => {
  const plinth = await world({ validDays: 5, fixes: ['CVE-2026-35189'] });
  for (const format of ['sarif', 'cyclonedx-vex', 'openvex']) {
    const { stdout } = await plinth('cve', 'scan', 'ROOT', '--offline', '-q', '-o', format);
    assert.ok(JSON.stringify(JSON.parse(stdout)).includes('CVE-2026-35189'), format);
  }
});

test('cve feeds list shows what is here; a document of no feed is refused', async () => {
  const plinth = await world({ validDays: 5, fixes: [] });
  const { stdout } = await plinth('cve', 'feeds', 'list');
  assert.match(stdout, /^trixie-security +fresh/m);
  assert.match(
    stdout,
    /Not here: debian-tracker, osv-debian, osv-go, .*\n\nNext:\n.*plinth cve feeds import FILE/,
  );
  const text = stdout.split('\n').filter((line) => /fresh|NAME/.test(line));
  assert.ok(
    text.every((line) => line.length <= 80),
    stdout,
  );
  const refused = await plinth('cve', 'feeds', 'import', 'ROOT/etc/os-release');
  assert.match(refused.stderr, /advisory\/feed-invalid/);
});

test('names in an SBOM do not command the terminal', async () => {
  const plinth = await world({ validDays: 5, fixes: [] });
  const folder = await scratchFolder('sbom');
  const path = join(folder, 'bom.json');
  const module = {
    type: 'library',
    name: 'x\u001b]0;owned\u0007\u001b[31mRED',
    version: '1',
    purl: 'pkg:generic/x@1',
  };
  await writeFile(path, JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', components: [module] }));
  const { stdout } = await plinth('cve', 'scan', path, '--offline', '-q');
  assert.match(stdout, /no feed speaks of 1 parts .*RED/);
  assert.ok(!stdout.includes('\u001b') && !stdout.includes('\u0007'));
});

test('a scan names in one line what would complete it', async () => {
  const plinth = await world({ validDays: 5, fixes: [] });
  const { stdout } = await plinth('cve', 'scan', 'ROOT', '--offline', '-q');
  assert.match(stdout, /^ {2}plinth cve feeds import tracker\.json +to complete it: Debian's tracker$/m);
});

test('clocks without the indexes that start them are no good news', async () => {
  const codes = async (validDays: number) => {
    const plinth = await world({ validDays, fixes: [] });
    return (await plinth('cve', 'sla', 'ROOT', '--offline', '-q', '--exit-code')).exitCode;
  };
  assert.equal(await codes(5), 0);
  assert.equal(await codes(-1), 3);
});

test('which kept releases have a flaw: none kept is an error, an identifier nobody names is not "none"', async () => {
  const plinth = await world({ validDays: 5, fixes: ['CVE-2026-35189'] });
  const folder = await scratchFolder('affected');
  const ask = (id: string) => plinth('cve', 'affected', id, '--in', folder, '--exit-code');
  const nothing = await ask('CVE-2026-35189');
  assert.deepEqual([nothing.exitCode, /keeps no releases/.test(nothing.stderr)], [2, true]);
  const store = await openAdvisoryStore(':memory:');
  await initKeys(join(folder, 'keys'), {});
  const keys = await loadKeys(join(folder, 'keys'), {});
  const options = {
    ...{ store, folder, policy: await readPolicy(undefined), offline: true },
    ...{ signer: keys.signers.release, trusted: keys.certificates('release') },
  };
  await watch([plinth.root], options);
  await store.close();
  assert.equal((await ask('CVE-2026-35189')).exitCode, 3);
  const unknown = await ask('CVE-2026-99999');
  assert.equal(unknown.exitCode, 3);
  assert.match(unknown.stdout, /whether a release has it cannot be told/);
});
