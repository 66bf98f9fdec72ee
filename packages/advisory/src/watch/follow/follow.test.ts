import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { makeArchiveKey, makeDeb, packageParagraph, serveFiles, suiteFiles } from '@plinth/debian/testing';
import { codeOf, scratchFolder } from '@plinth/host/testing';
import { initKeys, loadKeys } from '@plinth/trust';
import { defaultPolicy } from '../../policy/index.ts';
import { openAdvisoryStore } from '../../store/index.ts';
import { type FollowClock, follow, type Look } from './follow.ts';
import { pauseMs } from './pause.ts';

// From the mirror to the draft through the shipped code: a signed archive behind a real HTTP server, whose files change. Only the
// time between two looks is made up.

const MINUTE_MS = 60_000;
const EVERY_MS = 10 * MINUTE_MS;
const START_MS = Date.parse('2026-09-12T12:00:00.000Z');
const SUITES = ['trixie', 'trixie-updates', 'trixie-security', 'trixie-backports', 'forky', 'sid'];
const folder = await scratchFolder('follow');
// Where indexes and packages are kept.
process.env['PLINTH_CACHE_DIR'] = join(folder, 'cache');
await initKeys(join(folder, 'keys'), {});
const keys = await loadKeys(join(folder, 'keys'));
const archiveKey = await makeArchiveKey();

/** An archive of six suites, and what changes in it. */
async function archive(context: TestContext) {
  const files = new Map<string, Uint8Array>();
  const answers: string[] = [];
  const put = async (suite: string, paragraphs: readonly string[], date: string) => {
    const release = { Codename: suite, Date: date };
    for (const [path, bytes] of await suiteFiles(paragraphs.join('\n'), archiveKey.privateKey, release))
      files.set(path, bytes);
  };
  for (const suite of SUITES) await put(suite, [], 'Sat, 12 Sep 2026 07:55:41 UTC');
  const base = await serveFiles(context, files, (answer) => answers.push(answer));
  /** A security update as Debian gives it out: the package in the pool, and a new signed index. */
  const fix = async (version: string, id: string) => {
    const changelog = `openssl (${version}) trixie-security; urgency=high\n\n  * Fix a use after free (${id})\n\n -- A <a@localhost>  Sat, 12 Sep 2026 08:00:00 +0000\n`;
    const doc = 'usr/share/doc/libssl3t64/changelog.Debian.gz';
    const { path, locked } = await makeDeb('libssl3t64', { [doc]: gzipSync(changelog) });
    const file = `pool/updates/main/libssl3t64_${version}_amd64.deb`;
    files.set(`/${file}`, await readFile(path));
    const fields = {
      Source: 'openssl',
      Filename: file,
      Size: String(locked.sizeBytes),
      SHA256: locked.sha256,
    };
    await put(
      'trixie-security',
      [packageParagraph('libssl3t64', version, fields)],
      'Sat, 12 Sep 2026 08:10:00 UTC',
    );
  };
  return { files, answers, mirrors: { flags: { mirror: base, securityMirror: base } }, base, fix };
}

/** A release with one package, as an SBOM in a folder of releases. */
async function releases(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  const paragraph =
    'Package: libssl3t64\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\n';
  await addRelease(path, '0.1.0', `${paragraph}Version: 3.5.7-1~deb13u2\n`);
  return path;
}

/** With the name of a release in it, so that drafts are made of it. */
async function addRelease(path: string, version: string, status: string): Promise<void> {
  const found = /^Version: (.*)$/m.exec(status)?.[1] ?? '';
  const dir = join(path, version);
  const name = `plinth_${version}_x86-64`;
  await mkdir(dir);
  const purl = (kind: string, arch: string) =>
    `pkg:deb/debian/${kind}@${found}?arch=${arch}&distro=debian-13`;
  const refs = [purl('libssl3t64', 'amd64'), purl('openssl', 'source')].map((referenceLocator) => ({
    referenceType: 'purl',
    referenceLocator,
  }));
  const papers = {
    manifest: {
      ...{ format: 1, name: 'plinth', version, architecture: 'x86-64', created: '2026-09-01T00:00:00.000Z' },
      ...{ rootHash: 'ab'.repeat(32), kernel: { version: '6.12' } },
    },
    facts: { format: 1, version, files: [], kernelConfig: {} },
    spdx: {
      ...{ spdxVersion: 'SPDX-2.3', name },
      packages: [{ SPDXID: 'p', name: 'libssl3t64', versionInfo: found, externalRefs: refs }],
    },
  };
  for (const [kind, paper] of Object.entries(papers))
    await writeFile(join(dir, `${name}.${kind}.json`), JSON.stringify(paper));
}

/**
 * Follows until `step` says that it is enough: it is called with the number of each pause, in place of sleeping.
 */
async function following(
  out: string,
  paths: readonly string[],
  mirrors: { readonly flags: { readonly mirror: string; readonly securityMirror: string } },
  step: (pause: number, looks: readonly Look[]) => Promise<'go on' | 'enough'>,
  { documents = [], everyMs = EVERY_MS }: { documents?: readonly string[]; everyMs?: number } = {},
) {
  const stop = new AbortController();
  let timeMs = START_MS;
  const pauses: number[] = [];
  const looks: Look[] = [];
  const clock: FollowClock = {
    now: () => new Date(timeMs),
    sleep: async (ms) => {
      pauses.push(ms);
      if ((await step(pauses.length, looks)) === 'enough') stop.abort();
      timeMs += ms;
    },
    random: () => 0,
  };
  const store = await openAdvisoryStore(':memory:');
  await follow(paths, {
    ...{ store, folder: out, policy: defaultPolicy, signer: keys.signers.release },
    ...{ trusted: keys.certificates('release'), mirrors, keyring: [archiveKey.publicKey] },
    ...{ everyMs, documents, clock, signal: stop.signal },
    onLook: (look) => {
      looks.push(look);
    },
  });
  return { looks, pauses };
}

const draftsIn = async (out: string) => await readdir(join(out, 'drafts')).catch(() => []);

test('a fix that a mirror has becomes a draft, a report and a line of the ledger within a quarter of an hour, untouched', async (context) => {
  const { mirrors, fix, answers } = await archive(context);
  const out = join(folder, 'unattended');
  const path = await releases('unattended-releases');
  let changedAtMs = 0;
  let askedBefore = 0;
  const { looks, pauses } = await following(out, [path], mirrors, async (pause) => {
    assert.deepEqual(await draftsIn(out), pause < 4 ? [] : ['PLSA-2026-0001.json']);
    // Right after a look: nothing can be seen later.
    if (pause === 3) {
      await fix('3.5.7-1~deb13u3', 'CVE-2026-35189');
      changedAtMs = performance.now();
    }
    if (pause === 2) askedBefore = answers.length;
    return pause < 4 ? 'go on' : 'enough';
  });
  const runMs = performance.now() - changedAtMs;
  assert.deepEqual(
    looks.map(({ changes, failures }) => [changes, failures]),
    [
      [['first look'], []],
      [['debian-index:trixie-security'], []],
    ],
  );
  assert.deepEqual(looks[1]?.results?.[0]?.drafts, ['PLSA-2026-0001']);
  // Looks without news cost one small answer for each suite, and no run.
  const third = answers.slice(askedBefore, askedBefore + SUITES.length);
  assert.deepEqual(
    third.map((answer) => answer.slice(0, 3)),
    SUITES.map(() => '304'),
  );
  const unattendedMs = (pauses[2] ?? Number.NaN) + runMs;
  context.diagnostic(
    `feed change to draft: ${EVERY_MS / MINUTE_MS} min to the look, ${runMs.toFixed(0)} ms to the draft`,
  );
  assert.ok(unattendedMs <= 15 * MINUTE_MS, `${unattendedMs} ms`);
});

test('a release that comes in is judged, and after half a day all are, with a signed result', async (context) => {
  const { mirrors } = await archive(context);
  const path = await releases('growing');
  const step = async (pause: number) => {
    if (pause === 2) await addRelease(path, '0.2.0', 'Version: 3.5.7-1~deb13u2\n');
    return pause < 7 ? ('go on' as const) : ('enough' as const);
  };
  const everyMs = 180 * MINUTE_MS;
  const { looks } = await following(join(folder, 'growing-out'), [path], mirrors, step, { everyMs });
  assert.deepEqual(
    looks.map(({ changes }) => changes),
    [['first look'], [join(path, '0.2.0')], ['half a day is over']],
  );
  assert.equal(looks[2]?.results?.length, 2);
});

test('a mirror that is away is told once, asked again sooner and less and less so, and what it has then is judged', async (context) => {
  const { mirrors, files, fix } = await archive(context);
  const out = join(folder, 'away');
  const kept = new Map<string, Uint8Array>();
  const { looks, pauses } = await following(
    out,
    [await releases('away-releases')],
    mirrors,
    async (pause, seen) => {
      if (pause === 1) {
        for (const [path, bytes] of files) kept.set(path, bytes);
        files.clear();
      }
      if (pause === 7) {
        for (const [path, bytes] of kept) files.set(path, bytes);
        await fix('3.5.7-1~deb13u3', 'CVE-2026-35189');
      }
      return seen.length < 3 ? 'go on' : 'enough';
    },
  );
  assert.deepEqual(pauses.slice(0, 7), [EVERY_MS, 30_000, 60_000, 120_000, 240_000, 480_000, EVERY_MS]);
  assert.equal(looks.length, 3);
  assert.match(looks[1]?.failures.join() ?? '', /index of trixie: host\/download-missing/);
  assert.deepEqual(looks[2]?.changes, ['debian-index:trixie-security']);
  assert.deepEqual(await draftsIn(out), ['PLSA-2026-0001.json']);
});

test('an index that is not signed by a known key is told, judges nothing, and is tried again', async (context) => {
  const { mirrors, files } = await archive(context);
  const stranger = await makeArchiveKey();
  const sound = new Map(files);
  const place = '/dists/sid/InRelease';
  const { looks } = await following(
    join(folder, 'forged'),
    [await releases('forged-releases')],
    mirrors,
    async (pause, seen) => {
      if (pause === 1) {
        const forged = await suiteFiles('', stranger.privateKey, { Codename: 'sid' });
        files.set(place, forged.get(place) ?? new Uint8Array());
      }
      if (pause === 4) files.set(place, sound.get(place) ?? new Uint8Array());
      return pause < 6 && seen.length < 4 ? 'go on' : 'enough';
    },
  );
  const told = looks.map(({ changes, failures }) => [...changes, ...failures].join());
  assert.equal(told.length, 3, told.join('\n'));
  assert.match(told[1] ?? '', /^index of sid: debian\/index-untrusted/);
  assert.equal(told[2], '', 'and told when it is over');
});

test('a document of a feed is asked for by its address, imported when it changed, and refused once when it is none', async (context) => {
  const { mirrors, files, base, answers } = await archive(context);
  const statement = (status: string, timestamp: string) =>
    Buffer.from(
      JSON.stringify({
        ...{
          '@context': 'https://openvex.dev/ns/v0.2.0',
          '@id': 'https://vendor.example/1',
          author: 'Vendor',
        },
        ...{ timestamp, version: 1 },
        statements: [
          {
            vulnerability: { name: 'CVE-2026-35189' },
            products: [{ '@id': 'pkg:deb/debian/openssl@3.5.7-1~deb13u2?arch=source' }],
            ...(status === 'not_affected' ? { justification: 'vulnerable_code_not_present' } : {}),
            status,
          },
        ],
      }),
    );
  const place = '/vendor.json';
  files.set(place, statement('not_affected', '2026-09-12T06:00:00Z'));
  const step = async (pause: number) => {
    if (pause === 2) files.set(place, statement('affected', '2026-09-12T11:00:00Z'));
    if (pause === 4) files.set(place, Buffer.from('no feed'));
    return pause < 7 ? ('go on' as const) : ('enough' as const);
  };
  const paths = [await releases('document-releases')];
  const { looks } = await following(join(folder, 'document'), paths, mirrors, step, {
    documents: [`${base}${place}`],
  });
  const told = looks.map(({ changes, failures }) => [...changes, ...failures].join());
  assert.deepEqual(told.slice(0, 2), ['first look', 'csaf']);
  assert.match(told[2] ?? '', /^feed at 127\.0\.0\.1:\d+: advisory\//);
  const asked = answers.filter((answer) => answer.endsWith(place)).map((answer) => answer.slice(0, 3));
  assert.deepEqual(asked, ['200', '304', '200', '304', '200', '304', '304']);
});

test('one follower at a time, ended by its signal; what is wrong from the start ends it', async (context) => {
  const { mirrors } = await archive(context);
  const out = join(folder, 'alone');
  const path = await releases('alone-releases');
  let second: string | undefined;
  await following(out, [path], mirrors, async () => {
    second = await codeOf(following(out, [path], mirrors, async () => 'enough'));
    return 'enough';
  });
  assert.equal(second, 'host/locked');
  await rm(path, { recursive: true });
  const absent = following(out, [path], mirrors, async () => 'enough');
  assert.equal(await codeOf(absent), 'advisory/subject-unknown');
});

test('pauses: the whole span when all is well, never longer, spread over its last tenth', () => {
  assert.equal(pauseMs(EVERY_MS, 0, 0), EVERY_MS);
  assert.equal(pauseMs(EVERY_MS, 0, 1), 0.9 * EVERY_MS);
  for (let failures = 1; failures < 40; failures++) {
    const pause = pauseMs(EVERY_MS, failures, 0);
    assert.ok(pause >= 30_000 && pause <= EVERY_MS);
    assert.ok(pause >= pauseMs(EVERY_MS, Math.max(1, failures - 1), 0));
  }
});
