import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { run } from '@plinth/host';
import { eventually, scratchFolder } from '@plinth/host/testing';
import {
  endProcess,
  etcdArgs,
  findKubernetesPrograms,
  freePorts,
  type KubernetesPrograms,
  openProcesses,
  startControlPlane,
} from '@plinth/image/testing';
import { openHttps } from '../https/call-https.ts';
import { nodeSys } from '../sys/node-sys.ts';
import { openEtcdClient, readEtcdCredentials } from './etcd-client.ts';
import { etcdOperations } from './etcd-operations.ts';

// Against a real etcd with kubeadm's certificates, and the program of the layer that restores it.

const sys = { ...nodeSys(), hostName: () => 'node-1' };

for (const kubernetes of await findKubernetesPrograms()) {
  test(`etcd of Kubernetes ${kubernetes.minor}`, { skip: kubernetes.skip, timeout: 300_000 }, (context) =>
    proveEtcd(context, kubernetes),
  );
}

for (const kubernetes of await findKubernetesPrograms()) {
  const what = `etcd of Kubernetes ${kubernetes.minor}: of three members one can be missed`;
  test(what, { skip: kubernetes.skip, timeout: 300_000 }, () => proveQuorum(kubernetes));
}

async function proveQuorum(kubernetes: KubernetesPrograms): Promise<void> {
  await using plane = await startControlPlane(kubernetes);
  const credentials = await readEtcdCredentials(sys, join(plane.pki, 'etcd'));
  const target = { host: '127.0.0.1', port: plane.etcdPort };
  const etcd = etcdOperations({
    sys,
    folder: plane.dir,
    pki: join(plane.pki, 'etcd'),
    target,
    restartUnit: async () => {},
  });
  // Learners first, as kubeadm adds members; each is promoted when it has caught up.
  const others = openProcesses(plane.dir);
  try {
    const started: ChildProcess[] = [];
    let cluster = `default=https://127.0.0.1:${plane.peerPort}`;
    for (const name of ['second', 'third']) {
      const [port = 0, peerPort = 0] = await freePorts(2);
      const peer = `https://127.0.0.1:${peerPort}`;
      const add = { peerURLs: [peer], isLearner: true };
      let body = '';
      // Refused while a member that was added before is not yet trusted.
      await others.until('etcd', async () => {
        const answer = await post(plane.etcdPort, credentials, 'cluster/member/add', add);
        ({ body } = answer);
        return answer.status === 200;
      });
      cluster += `,${name}=${peer}`;
      const args = etcdArgs(plane.dir, port, peerPort, name).filter(
        (arg) => !arg.startsWith('--initial-cluster='),
      );
      started.push(
        others.start('etcd', [
          ...args,
          `--initial-cluster=${cluster}`,
          '--initial-cluster-state=existing',
          `--data-dir=${plane.at(name)}`,
        ]),
      );
      const promote = { ID: JSON.parse(body).member.ID };
      await others.until(
        'etcd',
        async () => (await statusOf(plane.etcdPort, credentials, 'cluster/member/promote', promote)) === 200,
      );
    }
    await others.until('etcd', async () => (await etcd.listMembers()).every(({ healthy }) => healthy));
    assert.deepEqual(await etcd.judgeOwnLoss('stops'), { ok: true });

    const [third] = started.slice(-1);
    if (third) await endProcess(third);
    const members = await eventually(
      async () => {
        const listed = await etcd.listMembers();
        assert.deepEqual(
          listed.map(({ name, healthy }) => [name, healthy]),
          [
            ['default', true],
            ['second', true],
            ['third', false],
          ],
        );
        return listed;
      },
      { everyMs: 200 },
    );
    const verdict = await etcd.judgeOwnLoss('stops');
    assert.equal(
      verdict.ok ? '' : verdict.reason,
      'without default 1 healthy members stay, expected at least 2',
    );
    const id = (name: string) => members.find((one) => one.name === name)?.id ?? '';
    await assert.rejects(etcd.removeMember(id('second'), ''), { code: 'etcd/quorum-at-risk' });
    await etcd.removeMember(id('third'), '');
    assert.deepEqual(
      (await etcd.listMembers()).map(({ name }) => name),
      ['default', 'second'],
    );
  } finally {
    await others[Symbol.asyncDispose]();
  }
}

async function proveEtcd(context: TestContext, kubernetes: KubernetesPrograms): Promise<void> {
  await using plane = await startControlPlane(kubernetes);
  const folder = await scratchFolder('etcd');
  const pki = join(plane.pki, 'etcd');
  const target = { host: '127.0.0.1', port: plane.etcdPort };
  const units: string[] = [];
  const manifests = plane.at('manifests');
  await writeManifests(manifests, plane.peerPort);

  /** What systemd and the kubelet do on a node: run the unit, and let etcd run as long as its manifest is there. */
  const restartUnit = async (unit: string) => {
    units.push(unit);
    const unitRun = run(
      plane.at('plinth-etcd-restore'),
      [
        `--snapshot=${join(folder, 'restore.db')}`,
        `--data-dir=${plane.at('etcd-data')}`,
        `--manifests=${manifests}`,
        `--aside=${plane.at('aside')}`,
        '--patience=1m',
      ],
      { cwd: plane.dir, env: {} },
    );
    const kubelet = (async () => {
      await eventually(() => assert.rejects(access(join(manifests, 'etcd.yaml'))));
      await plane.processes[Symbol.asyncDispose]();
    })();
    await Promise.all([unitRun, kubelet]);
    plane.processes.start('etcd', etcdArgs(plane.dir, plane.etcdPort, plane.peerPort));
  };
  const etcd = etcdOperations({ sys, folder, pki, target, restartUnit });
  const credentials = await readEtcdCredentials(sys, pki);
  const collected = async () => {
    const all: Buffer[] = [];
    for await (const { bytes } of etcd.snapshot()) all.push(bytes);
    return Buffer.concat(all);
  };

  await context.test('a single member is healthy, leads, and cannot be missed', async () => {
    const [member, ...others] = await etcd.listMembers();
    assert.equal(others.length, 0);
    assert.ok(member?.status);
    const { healthy, leader, learner, name, problem, clientUrl } = member;
    assert.deepEqual(
      { healthy, leader, learner, name, problem, clientUrl },
      {
        healthy: true,
        leader: true,
        learner: false,
        name: 'default',
        problem: '',
        clientUrl: `https://127.0.0.1:${plane.etcdPort}`,
      },
    );
    assert.match(member.status.version, /^3\.\d+\.\d+$/);
    assert.ok(member.status.dbSizeBytes >= member.status.dbInUseBytes && member.status.dbInUseBytes > 0);
    assert.deepEqual(await etcd.judgeOwnLoss('stops'), {
      ok: false,
      reason: 'default is the only member',
      lastMember: true,
    });
    await assert.rejects(etcd.removeMember(member.id, ''), { code: 'etcd/quorum-at-risk' });
    await assert.rejects(etcd.removeMember('abc', ''), { code: 'etcd/quorum-at-risk' });
  });

  await context.test('defragmenting gives space back', async () => {
    await plane.kubectl('create', 'configmap', 'kept', '--from-literal=key=before');
    const { beforeBytes, afterBytes } = await etcd.defragment();
    assert.ok(afterBytes > 0 && afterBytes <= beforeBytes);
  });

  await context.test('a snapshot brings back what was there, and the old data stays aside', async () => {
    const snapshot = await collected();
    assert.equal(snapshot.length % 512, 32);
    await plane.kubectl('create', 'configmap', 'lost', '--from-literal=key=after');
    const before = (await etcd.listMembers())[0];

    const pieces = async function* () {
      for (let at = 0; at < snapshot.length; at += 48 * 1024) yield snapshot.subarray(at, at + 48 * 1024);
    };
    await assert.rejects(etcd.restore('node-2', snapshot.length, pieces()), { code: 'etcd/not-confirmed' });
    const flipped = async function* () {
      yield* [snapshot.subarray(0, 1000), Buffer.alloc(1, 0x55), snapshot.subarray(1001)];
    };
    await assert.rejects(etcd.restore('node-1', snapshot.length, flipped()), {
      code: 'etcd/snapshot-damaged',
    });
    assert.deepEqual(units, []);

    const revision = await etcd.restore('node-1', snapshot.length, pieces());
    assert.deepEqual(units, ['plinth-etcd-restore.service']);
    assert.ok(revision > 1_000_000_000, `${revision}`);
    const restored = (await etcd.listMembers())[0];
    assert.equal(restored?.name, 'default');
    assert.notEqual(restored?.id, before?.id, 'members of the lost cluster stay strangers');
    assert.equal(await keys(plane.etcdPort, credentials, 'kept'), 1);
    assert.equal(await keys(plane.etcdPort, credentials, 'lost'), 0);
    assert.deepEqual((await readdir(manifests)).sort(), ['etcd.yaml', 'kube-apiserver.yaml', 'other.yaml']);
    assert.ok((await readdir(plane.dir)).includes('etcd-data.before-restore'));
    assert.deepEqual(await readdir(folder), [], 'the snapshot with all secrets is gone');
  });

  await context.test(
    'a member that does not answer is shown with its problem, and the loss of the other refused',
    async () => {
      const [lonely = 0] = await freePorts(1);
      const added = await statusOf(plane.etcdPort, credentials, 'cluster/member/add', {
        peerURLs: [`https://127.0.0.1:${lonely}`],
        isLearner: true,
      });
      assert.equal(added, 200);
      const members = await etcd.listMembers();
      const learner = members.find((member) => member.learner);
      assert.equal(learner?.healthy, false);
      assert.equal(learner?.problem, 'it was added and has not started yet');
      await etcd.removeMember(learner?.id ?? '', '');
      assert.equal((await etcd.listMembers()).length, 1);
    },
  );

  await context.test('a restore that cannot be done leaves everything as it was', async () => {
    await writeFile(join(folder, 'restore.db'), Buffer.alloc(544));
    const failing = await run(
      plane.at('plinth-etcd-restore'),
      [
        `--snapshot=${join(folder, 'restore.db')}`,
        `--data-dir=${plane.at('etcd-data')}`,
        `--manifests=${manifests}`,
        `--aside=${plane.at('aside')}`,
      ],
      { cwd: plane.dir, env: {}, okCodes: [1] },
    );
    assert.match(failing.stderr, /Cannot restore etcd: /);
    assert.deepEqual((await readdir(manifests)).sort(), ['etcd.yaml', 'kube-apiserver.yaml', 'other.yaml']);
    assert.equal((await etcd.listMembers())[0]?.healthy, true);
    await rm(join(folder, 'restore.db'));
  });

  await context.test('a run that was cut short is ended by the next, whatever comes of that', async () => {
    await run('mv', [join(manifests, 'etcd.yaml'), plane.at('aside/etcd.yaml')]);
    await run(
      plane.at('plinth-etcd-restore'),
      [
        '--snapshot=/nonexistent',
        `--data-dir=${plane.at('etcd-data')}`,
        `--manifests=${manifests}`,
        `--aside=${plane.at('aside')}`,
      ],
      { cwd: plane.dir, env: {}, okCodes: [1] },
    );
    assert.ok((await readdir(manifests)).includes('etcd.yaml'));
  });

  await context.test('restarting the control plane changes each manifest in one annotation', async () => {
    const restart = () =>
      run(plane.at('plinth-restart-control-plane'), [`--manifests=${manifests}`], {
        cwd: plane.dir,
        env: {},
      });
    const other = await readFile(join(manifests, 'other.yaml'), 'utf8');
    await restart();
    const first = await readFile(join(manifests, 'etcd.yaml'), 'utf8');
    assert.match(first, /plinth\.dev\/restarted-at: "\d{4}-/);
    assert.match(first, /- --name=default/);
    await restart();
    assert.notEqual(await readFile(join(manifests, 'etcd.yaml'), 'utf8'), first);
    assert.equal(await readFile(join(manifests, 'other.yaml'), 'utf8'), other);
    assert.deepEqual((await readdir(manifests)).sort(), ['etcd.yaml', 'kube-apiserver.yaml', 'other.yaml']);
  });

  await context.test(
    'a node without a member says so, and a member that is away is unreachable',
    async () => {
      const worker = etcdOperations({ sys, folder, pki: join(folder, 'none'), restartUnit });
      await assert.rejects(worker.listMembers(), { code: 'etcd/no-member' });
      await plane.processes[Symbol.asyncDispose]();
      await assert.rejects(etcd.listMembers(), { code: 'etcd/unreachable', retryable: true });
      await assert.rejects(collected(), { code: 'etcd/unreachable' });
      const closed = openEtcdClient({ ...credentials, ...target });
      await assert.rejects(closed.status(), { code: 'etcd/unreachable' });
      closed.close();
    },
  );
}

/** Static pods as kubeadm writes them, as far as they matter here. */
async function writeManifests(folder: string, peerPort: number): Promise<void> {
  await mkdir(folder);
  const pod = (name: string, ...args: string[]) =>
    [
      'apiVersion: v1',
      'kind: Pod',
      'metadata:',
      `  name: ${name}`,
      '  namespace: kube-system',
      'spec:',
      '  containers:',
      '  - command:',
      `    - ${name}`,
      ...args.map((arg) => `    - ${arg}`),
      `    name: ${name}`,
      '',
    ].join('\n');
  const peer = `https://127.0.0.1:${peerPort}`;
  await writeFile(
    join(folder, 'etcd.yaml'),
    pod(
      'etcd',
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--name=default',
    ),
  );
  await writeFile(join(folder, 'kube-apiserver.yaml'), pod('kube-apiserver'));
  await writeFile(join(folder, 'other.yaml'), pod('other'));
}

type Credentials = Awaited<ReturnType<typeof readEtcdCredentials>>;

/** How many keys there are for a config map of Kubernetes. */
async function keys(port: number, credentials: Credentials, name: string): Promise<number> {
  const key = Buffer.from(`/registry/configmaps/default/${name}`).toString('base64');
  const { body } = await post(port, credentials, 'kv/range', { key, count_only: true });
  return Number(JSON.parse(body).count ?? 0);
}

async function statusOf(port: number, credentials: Credentials, path: string, body: object): Promise<number> {
  return (await post(port, credentials, path, body)).status;
}

async function post(port: number, credentials: Credentials, path: string, body: object) {
  const https = openHttps({ ...credentials, host: '127.0.0.1', port });
  try {
    const answer = await https.call(
      { method: 'POST', path: `/v3/${path}`, body, timeoutMs: 10_000 },
      1024 * 1024,
    );
    return { status: answer.status, body: answer.body.toString() };
  } finally {
    https.close();
  }
}
