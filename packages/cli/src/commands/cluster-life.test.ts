import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Membership } from '@plinth/api';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';

/** Command lines from argument to exit code, over gRPC and TLS, against nodes that keep the rules in memory. */
suite('the life of a cluster, by commands', () => {
  let fleet: FakeFleet;
  const ok = (...argv: string[]) => fleet.ok(...argv);
  const refused = (pattern: RegExp, ...argv: string[]) => fleet.refused(pattern, ...argv);

  before(async () => {
    fleet = await fakeFleet('cp1', 'cp2', 'w1');
  });
  after(() => fleet[Symbol.asyncDispose]());

  test('bootstrap says why it failed, goes on when run again, and is refused a second time', async () => {
    const cp1 = fleet.nodes.get('cp1');
    assert.ok(cp1);
    cp1.failAt = 1;
    const flags = ['--name', 'prod', '--kubernetes', '1.36.4', '--address', '192.0.2.7'];
    await refused(
      /node "cp1": Do the work: the disk is full\n {2}hint: Free some space\./,
      'bootstrap',
      ...flags,
    );
    assert.match(await ok('bootstrap', ...flags), /first control plane of cluster "prod"/);
    assert.deepEqual([cp1.version, cp1.address, cp1.cluster?.name], ['1.36.4', '192.0.2.7', 'prod']);
    await refused(/api\/refused.*a member already/, 'bootstrap', ...flags);
  });

  test('nodes join by invitation; nobody invites himself', async () => {
    await ok('join', '--context', 'cp2', 'cp1', '--control-plane', '--address', '192.0.2.8');
    await ok('join', '--context', 'w1', 'cp2');
    assert.deepEqual([...fleet.world.etcd], ['cp1', 'cp2']);
    assert.equal(fleet.world.tokens.size, 0);
    assert.equal(await refused(/cannot invite itself/, 'join', 'cp1'), 2);
    await refused(/already-member.*"w1": it is a member of a cluster/, 'join', '--context', 'w1', 'cp1');
  });

  test('get kubernetes shows membership, layers and the act', async () => {
    const stdout = await ok('get', 'kubernetes', '--context', 'w1');
    assert.match(stdout, /membership {2}member\ncluster {5}prod\nrole {8}worker\nversion {5}1\.36\.4\n/);
    assert.match(stdout, /1\.36\.4 {2}drive {3}yes/);
    assert.match(stdout, /Last act: join, done\./);
    const data = JSON.parse(await ok('get', 'kubernetes', '--context', 'w1', '-o', 'json'));
    assert.deepEqual([data.membership, data.role, data.act.kind], ['member', 'worker', 'join']);
  });

  test('get cis lists every check, and fails only where it was asked to', async () => {
    const stdout = await ok('get', 'cis', '--exit-code');
    assert.match(stdout, /1\.2\.1 +pass +Check 1\.2\.1 +it is so\n1\.2\.2 +accepted/);
    assert.match(stdout, /fail +0\nunknown +0\naccepted +1\nmanual +1\npass +1\n/);
    assert.equal(await ok('get', 'cis', '--open', '-o', 'name'), '1.2.2\n1.2.3\n');
    const cp1 = fleet.nodes.get('cp1');
    assert.ok(cp1);
    cp1.cisFails = true;
    const data = JSON.parse(await ok('get', 'cis', '-o', 'json'));
    assert.partialDeepStrictEqual(data.results[1], { id: '1.2.2', section: 'API server', verdict: 'fail' });
    assert.equal((await fleet.plinth('get', 'cis', '--exit-code')).exitCode, 3);
    cp1.cisFails = false;
  });

  test('upgrade shows its plan first, goes on after a failure, and does control planes before workers', async () => {
    const flags = ['--to', '1.37.1', '--nodes', 'w1,cp1,cp2'];
    const plan = await ok('kubernetes', 'upgrade', ...flags, '--dry-run');
    const byMinor = ['--to', '1.37', ...flags.slice(2), '--dry-run'];
    assert.equal(await ok('kubernetes', 'upgrade', ...byMinor), plan);
    await refused(
      /no layer of it, expected 1\.36\.4 or 1\.37\.1/,
      'kubernetes',
      'upgrade',
      ...byMinor.with(1, '1.38'),
    );
    assert.match(plan, /1 {2}Upgrade node "cp1" from 1\.36\.4 to 1\.37\.1\n.*2 .*cp2.*\n.*3 .*w1/);
    fleet.world.log.length = 0;
    const cp2 = fleet.nodes.get('cp2');
    assert.ok(cp2);
    cp2.failAt = 2;
    await refused(/Cannot upgrade node "cp2"/, 'kubernetes', 'upgrade', ...flags);
    await ok('kubernetes', 'upgrade', ...flags);
    assert.deepEqual(fleet.world.log, ['upgrade cp1', 'upgrade cp2', 'upgrade cp2', 'upgrade w1']);
    assert.match(await ok('kubernetes', 'upgrade', ...flags), /All 3 nodes run Kubernetes 1\.37\.1 already/);
    assert.equal(
      await refused(/cluster\/skew/, 'kubernetes', 'upgrade', '--to', '1.36.4', '--nodes', 'cp1'),
      2,
    );
  });

  test('a kubeconfig goes where it is wanted, and its key nowhere else', async () => {
    const path = join(fleet.folder, 'kube');
    const flags = ['--context', 'cp1', '--server', 'https://127.0.0.1:16443'];
    const said = await ok('kubeconfig', ...flags, '--output', path, '-o', 'json');
    assert.equal(said.includes('U0VDUkVU'), false);
    assert.equal(JSON.parse(said).server, 'https://127.0.0.1:16443');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.match(await ok('kubeconfig', ...flags, '--merge'), /context plinth-prod is current/);
    assert.match(
      await readFile(join(fleet.folder, '.kube', 'config'), 'utf8'),
      /current-context: plinth-prod/,
    );
    assert.equal(await refused(/expected --output FILE or --merge/, 'kubeconfig', ...flags), 2);
  });

  test('etcd tells how many members may be lost, and guards the quorum', async () => {
    const { stdout, exitCode } = await fleet.plinth('etcd', 'members', '--exit-code');
    assert.match(stdout, /cp1 +637031 +yes +leader/);
    assert.match(stdout, /quorum {7}2, 2 answer\nmay be lost {2}none: one more and etcd stops/);
    assert.equal(exitCode, 0);
    assert.match(await ok('etcd', 'defragment'), /before {2}97\.7 KiB\nafter {3}48\.8 KiB/);
    assert.equal(await refused(/cannot ask "Remove member "cp2".*--yes/s, 'etcd', 'remove', 'cp2'), 2);
    await refused(/the quorum would be lost/, 'etcd', 'remove', 'cp2', '--yes');
    assert.equal(await refused(/"cp9" is no member, expected one of cp1, cp2/, 'etcd', 'remove', 'cp9'), 2);
  });

  test('a layer is staged, with the version its name says', async () => {
    const path = join(fleet.folder, 'kubernetes_1.38.0.raw');
    await writeFile(path, Buffer.alloc(200_000, 1));
    assert.match(await ok('kubernetes', 'stage', path), /has the layer of Kubernetes 1\.38\.0/);
    assert.ok(fleet.nodes.get('cp1')?.layers.includes('1.38.0'));
  });

  test('a snapshot is written whole for its owner only, and never over a file', async () => {
    const path = join(fleet.folder, 'snapshot.db');
    await ok('etcd', 'snapshot', path);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(new Uint8Array(await readFile(path)), fleet.nodes.get('cp1')?.database);
    assert.equal(await refused(/exists, expected a new file/, 'etcd', 'snapshot', path), 2);
  });

  test('a restore needs the name of the node, typed', async () => {
    const path = join(fleet.folder, 'other.db');
    await writeFile(path, 'another database');
    assert.equal(await refused(/--confirm is missing/, 'etcd', 'restore', path), 2);
    assert.equal(
      await refused(/--confirm is "x", expected "cp1"/, 'etcd', 'restore', path, '--confirm', 'x'),
      2,
    );
    assert.match(await ok('etcd', 'restore', path, '--confirm', 'cp1'), /revision 5/);
    assert.equal(Buffer.from(fleet.nodes.get('cp1')?.database ?? []).toString(), 'another database');
  });

  test('health names each node; one that does not answer is unknown', async () => {
    const { stdout, exitCode } = await fleet.plinth('health', '--nodes', 'cp1,w1', '--exit-code');
    assert.match(stdout, /cp1 {3}healthy/);
    assert.equal(exitCode, 0);
    await ok('config', 'add', 'gone', ...goneFlags(fleet));
    const gone = await fleet.plinth('health', '--nodes', 'cp1,gone', '--exit-code');
    assert.equal(gone.exitCode, 5);
    assert.match(gone.stdout, /gone {2}unknown/);
  });

  test('the last member of etcd does not leave without its name', async () => {
    assert.equal(
      await refused(/cannot ask "Let node "cp2" leave/, 'cluster', 'leave', '--context', 'cp2'),
      2,
    );
    await ok('cluster', 'leave', '--context', 'cp2', '--yes');
    await refused(/last member of etcd/, 'cluster', 'leave', '--context', 'cp1', '--yes');
    await ok('cluster', 'leave', '--context', 'cp1', '--override', 'cp1', '--yes');
    assert.equal(fleet.nodes.get('cp1')?.membership, Membership.NONE);
  });
});

function goneFlags({ folder }: FakeFleet): string[] {
  return [
    ...['--endpoint', '127.0.0.1:1', '--fingerprint', `sha256:${'ab'.repeat(32)}`],
    ...['--certificate', join(folder, 'client.crt'), '--key', join(folder, 'client.key')],
  ];
}
