import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { ConnectRouter } from '@connectrpc/connect';
import { FactState, PostureService } from '@plinth/api';
import { initKeys, loadKeys, parseDsse, verifyDsse } from '@plinth/trust';
import { validateXML } from 'xmllint-wasm';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';

/** What Jenkins reads; the advisor's JUnit is held to it too. */
const JUNIT_SCHEMA = join(import.meta.dirname, '../../../advisor/src/check/report/__fixtures__/junit-10.xsd');

const PROFILE = `id: mine
title: Mine
source: { name: Ours, edition: "1" }
claims:
  - { id: "1", title: Pointers are hidden, holds: { fact: sysctl/kernel.kptr_restrict, is: "2" } }
  - { id: "2", title: 'No "debugfs" <here>', holds: { fact: boot/debugfs, is: "off" } }
  - { id: "3", holds: { fact: sysctl/broken.one, is: "1" } }
  - { id: "4", holds: { integrity: dm-verity } }
  - { id: "5", holds: { fact: boot/debugfs, is: "off" }, accepted: we <want> it }
  - { id: "6", notApplicable: { because: no such module, proof: { absent: [module/dccp] } } }
  - { id: "7", manual: ask }
`;

suite('plinth posture, against nodes that tell facts from memory', () => {
  let fleet: FakeFleet;
  let profile: string;
  const asked: string[][] = [];

  /** Only one fact is there; one cannot be read; the others are absent. */
  const facts = (router: ConnectRouter) =>
    void router.service(PostureService, {
      getSecurityFacts: ({ names }) => {
        asked.push(names);
        return {
          facts: names.map((name) => {
            const source = `/of/${name}`;
            if (name === 'sysctl/kernel.kptr_restrict')
              return { name, source, state: FactState.PRESENT, value: '2' };
            return name === 'sysctl/broken.one'
              ? { name, source, state: FactState.UNKNOWN, reason: 'EACCES' }
              : { name, source, state: FactState.ABSENT };
          }),
        };
      },
    });

  before(async () => {
    fleet = await fakeFleet({ name: 'n1', more: [facts] }, { name: 'n2', more: [facts] });
    for (const node of fleet.nodes.values()) node.runs = { rootHash: 'ab'.repeat(32), failingCheck: '' };
    profile = join(fleet.folder, 'mine.yaml');
    await writeFile(profile, PROFILE);
  });
  after(() => fleet[Symbol.asyncDispose]());

  test('shows what fails and what is not known, with counts for each profile', async () => {
    const stdout = await fleet.ok('posture', '--profile', profile);
    assert.match(stdout, /mine +2 +fail +No "debugfs" <here> +boot\/debugfs is absent/);
    assert.match(stdout, /mine +3 +unknown .*EACCES/);
    assert.match(stdout, /mine +fail +2 +1 +1 +1 +1 +1 +Ours 1/);
    assert.doesNotMatch(stdout, /Pointers are hidden/);
    assert.deepEqual(asked.at(-1), [
      'boot/debugfs',
      'module/dccp',
      'sysctl/broken.one',
      'sysctl/kernel.kptr_restrict',
    ]);
    assert.match(
      await fleet.ok('posture', '--profile', profile, '--full'),
      /mine +1 +pass +Pointers are hidden/,
    );
  });

  test('ends with 3 only where it was asked to, and gives all as data with the source of each fact', async () => {
    assert.equal((await fleet.plinth('posture', '--profile', profile, '--exit-code', '-q')).exitCode, 3);
    const data = JSON.parse(await fleet.ok('posture', '--profile', profile, '-o', 'json'));
    assert.deepEqual([data.verdict, data.nodeName, data.rootHash], ['fail', 'n1', 'ab'.repeat(32)]);
    const [first, second] = data.results;
    assert.deepEqual([first.verdict, first.sources], ['pass', ['/of/sysctl/kernel.kptr_restrict']]);
    assert.equal(second.expected, 'boot/debugfs is off');
    assert.equal(await fleet.ok('posture', '--profile', profile, '-o', 'name'), 'mine/2\nmine/3\n');
  });

  test('a benchmark of the layer that the node refuses leaves one claim unknown, and the rest is judged', async () => {
    const data = JSON.parse(
      await fleet.ok('posture', '--profile', `cis-kubernetes,${profile}`, '-o', 'json'),
    );
    const found = data.results.filter((one: { profile: string }) => one.profile === 'cis-kubernetes');
    assert.deepEqual(
      found.map(({ verdict }: { verdict: string }) => verdict),
      ['unknown'],
    );
    assert.equal(data.profiles.length, 2);
  });

  test('JUnit XML holds every claim of every node, and every text is escaped', async () => {
    const path = join(fleet.folder, 'posture.xml');
    await fleet.ok('posture', '--nodes', 'n1,n2', '--profile', profile, '--junit', path);
    const xml = await readFile(path, 'utf8');
    assert.match(xml, /<testsuite name="n1 mine" tests="7" failures="1" errors="1" skipped="3">/);
    assert.match(xml, /<testsuite name="n2 mine" tests="7"/);
    assert.match(
      xml,
      /name="2 No &quot;debugfs&quot; &lt;here&gt;"><failure message="boot\/debugfs is absent">/,
    );
    assert.match(xml, /<skipped message="accepted: we &lt;want&gt; it"\/>/);
    assert.equal(xml.match(/<testcase /g)?.length, 14);
    const schema = await readFile(JUNIT_SCHEMA, 'utf8');
    assert.deepEqual((await validateXML({ xml, schema })).errors, []);
    const unnamed = xml.replace(/<testcase classname="n1 mine" name="[^"]*"/, '<testcase');
    assert.equal((await validateXML({ xml: unnamed, schema })).valid, false);
  });

  test('a signed result names the roots it is about, and verifies by the release key alone', async () => {
    const path = join(fleet.folder, 'posture.dsse.json');
    const keys = join(fleet.folder, 'keys');
    await initKeys(keys, {});
    await fleet.ok('posture', '--profile', profile, '--sign', path, '--keys', keys);
    const envelope = parseDsse(await readFile(path, 'utf8'));
    assert.ok(envelope);
    const { signers } = await loadKeys(keys, {});
    assert.equal(verifyDsse(envelope, [signers.release.certificate]).verdict, 'pass');
    assert.equal(verifyDsse(envelope, [signers.boot.certificate]).verdict, 'fail');
    const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString());
    assert.deepEqual(statement.subject, [{ name: 'n1', digest: { sha256: 'ab'.repeat(32) } }]);
    assert.equal(statement.predicate.nodes[0].results.length, 7);
  });

  test('an unknown profile is refused with those there are', async () => {
    await fleet.refused(/posture\/profile-unknown.*kernel-hardening/s, 'posture', '--profile', 'none');
  });
});
