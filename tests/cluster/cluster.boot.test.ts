import assert from 'node:assert/strict';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeTree } from '@plinth/host';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { type ImageRegistry, startImageRegistry } from '../testkit/image-registry.ts';
import { joinConfig } from '../testkit/owner.ts';
import { openPlinthCli, type PlinthCli } from '../testkit/plinth-cli.ts';
import { REFUSAL } from '../testkit/refusals.ts';
import { REFUSED_FOLDERS, refusedWrites } from '../testkit/refused-writes.ts';
import { webWorkload } from '../testkit/workload.ts';

// One cluster, made and used through the command line as its user would, from its first machine to an upgrade. The
// tests follow on one another: machines are slow without KVM, so that no state is made twice.

const CLUSTER = 'boot';
const [OLD, NEW] = ['1.36', '1.37'] as const;

suite('a cluster of machines', () => {
  let folder: string;
  let plinth: PlinthCli;
  let lab: BootLab;
  let registry: ImageRegistry | undefined;

  before(async () => {
    lab = await openBootLab();
    folder = await mkdtemp(join(tmpdir(), 'plinth-cluster-'));
    plinth = openPlinthCli(folder);
  });

  after(async () => {
    await plinth?.run(['cluster', 'destroy', CLUSTER, '--confirm', CLUSTER]);
    await registry?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
    if (folder) await removeTree(folder);
  });

  test('comes up from one command, with its node tested and ready', async () => {
    await plinth.print('up', CLUSTER, '--kubernetes', OLD);
    const { items } = JSON.parse(await plinth.kubectl(['get', 'nodes', '-o', 'json']));
    assert.equal(items.length, 1);
    const [node] = items;
    assert.match(node.status.nodeInfo.kubeletVersion, /^v1\.36\./);
    assert.match(node.status.nodeInfo.containerRuntimeVersion, /^containerd:\/\/2\./);
    assert.equal(condition(node, 'Ready'), 'True');
    assert.deepEqual(node.spec.taints ?? [], [], 'its self-test has passed, and it takes workloads');
  });

  test('tells what is open on its node, by the root hashes that its kernel enforces', async () => {
    const out = join(folder, 'out');
    // Of the image and layer that run: the same inputs and keys give the same root hashes.
    await plinth.print('build', '--formats', 'raw', '--output', out);
    await plinth.print('kubernetes', 'build', '--versions', OLD, '--output', join(out, 'layers'));
    // By no feed at all: nothing may count as clean, and what runs is told all the same.
    const asked = ['--offline', '--context', CLUSTER] as const;
    const { nodes, releases, complete } = nodesReport(await plinth.json('cve', 'nodes', out, ...asked));
    assert.deepEqual(
      nodes.map(({ node, gaps }) => [node, gaps]),
      [[CLUSTER, []]],
    );
    assert.deepEqual(releases.map(({ kind }) => kind).sort(), ['layer', 'release']);
    assert.equal(complete, false);
    for (const { kind, nodes: running, report } of releases) {
      assert.deepEqual(running, [CLUSTER]);
      const { binaries, goModules } = report.looked;
      assert.ok(kind === 'release' ? binaries > 50 : goModules > 50, kind);
    }
    const { nodes: named } = nodesReport(
      await plinth.json('cve', 'scan', CLUSTER, '--offline', '--timeout', '120'),
    );
    assert.deepEqual(
      named.map(({ node, rootHash }) => [node, rootHash]),
      [[CLUSTER, nodes[0]?.rootHash]],
    );
  });

  test('is made once: a second bootstrap is refused, a second "up" finds everything done', async () => {
    const again = await plinth.run(['bootstrap', '--context', CLUSTER]);
    assert.notEqual(again.exitCode, 0);
    assert.match(again.stderr, /kubernetes\/already-member|member/);
    await plinth.print('up', CLUSTER);
  });

  test('runs a Deployment behind a Service: names, volume, logs, exec and port-forward', async () => {
    await plinth.kubectl(['apply', '-f', '-'], webWorkload(2));
    await plinth.kubectl(['rollout', 'status', 'deployment/web', '--timeout=600s']);
    const pod = await plinth.kubectl([
      'get',
      'pods',
      '-l',
      'app=web',
      '-o',
      'jsonpath={.items[0].metadata.name}',
    ]);
    const exec = (...args: string[]) => plinth.kubectl(['exec', pod, '--', '/probe', ...args]);
    assert.match(await exec('lookup', 'web.default.svc.cluster.local'), /^web\.\S+ 10\.96\./);
    assert.match(await exec('get', 'http://web/'), /^web-/);
    await exec('write', '/data/kept', 'value');
    assert.equal(await exec('read', '/data/kept'), 'value');
    await eventually(async () => assert.match(await plinth.kubectl(['logs', pod]), /serving on :8080/));
    const port = await forwardedPort(plinth, 'service/web');
    assert.match(port.answer, /^web-/);
  });

  test('keeps secrets encrypted, and tells of its etcd', async () => {
    const answer = await plinth.json('etcd', 'members');
    assert.partialDeepStrictEqual(answer, { members: [{ name: CLUSTER, healthy: true }], quorum: 1 });
    const snapshot = join(folder, 'etcd.snapshot');
    await plinth.kubectl(['create', 'secret', 'generic', 'proof', '--from-literal=word=plinth-was-here']);
    await plinth.print('etcd', 'snapshot', snapshot);
    const bytes = await readFile(snapshot);
    assert.equal(bytes.includes('plinth-was-here'), false, 'the secret is not in the database in the clear');
    assert.ok(bytes.includes('/registry/secrets/default/proof'), 'but it is there');
  });

  test('needs nothing that SELinux refuses: bootstrap, pods, volumes, logs and exec', async () => {
    const asked = ['--boot', '0', '--lines', 'all', '--grep', REFUSAL, '--context', CLUSTER] as const;
    const lines = (await plinth.print('logs', ...asked)).split('\n');
    assert.deepEqual(
      lines.filter((line) => line.includes('avc:')),
      [],
    );
  });

  test('tells what a pod was refused beside what the rules say of it', async () => {
    registry = await startImageRegistry(lab);
    const config = join(folder, 'registries.yaml');
    const now = await plinth.print('config', 'show', '--context', CLUSTER);
    await writeFile(config, joinConfig(now, registry.document));
    await plinth.print('apply', config, '--context', CLUSTER, '--yes', '--reason', 'an image with a shell');
    await plinth.kubectl(['apply', '-f', '-'], refusedWrites('refused', registry.image));
    await plinth.kubectl([
      ...['wait', '--for=condition=Ready', 'pod/writer', '-n', 'refused', '--timeout=600s'],
    ]);
    const kubeconfig = join(folder, 'state', 'clusters', CLUSTER, 'kubeconfig');
    const check = ['migrate', 'check', '--live', '--kubeconfig', kubeconfig, '--observed', 'all'];
    await eventually(async () => {
      const { stdout, stderr } = await plinth.run([...check, '-o', 'json']);
      const { findings, problems } = JSON.parse(stdout || '{}') as Partial<Checked>;
      assert.deepEqual(problems, [], stderr);
      const own = (findings ?? []).filter(
        ({ owner }) => owner.namespace === 'refused' && owner.name === 'writer',
      );
      // A rule foresaw it, and the pod's log says that it happened.
      const foreseen = own.find(
        ({ rule, subject }) => rule === 'PLM001' && subject === REFUSED_FOLDERS.image,
      );
      assert.partialDeepStrictEqual(foreseen, { observed: { ran: true, nodes: [CLUSTER] } });
      assert.ok((foreseen?.observed?.count ?? 0) > 0);
    });
    const { stdout } = await plinth.run(check);
    assert.match(stdout, /^SEVERITY +RULE +WORKLOAD +WHAT +SEEN/m);
    assert.match(stdout, /^block +PLM001 +pod\/refused\/writer +\/usr +\d+× /m);
    await plinth.kubectl(['delete', 'namespace', 'refused', '--timeout=300s']);
  });

  test('takes a worker, and pods of both nodes reach each other', async () => {
    await plinth.print('cluster', 'add-node', CLUSTER);
    await plinth.kubectl(['scale', 'deployment/web', '--replicas=4']);
    await plinth.kubectl(['rollout', 'restart', 'deployment/web']);
    await plinth.kubectl(['rollout', 'status', 'deployment/web', '--timeout=900s']);
    const { items } = JSON.parse(await plinth.kubectl(['get', 'pods', '-l', 'app=web', '-o', 'json']));
    const running = items.filter((pod: Pod) => pod.metadata.deletionTimestamp === undefined);
    const nodes = new Map<string, Pod>(running.map((pod: Pod) => [pod.spec.nodeName, pod]));
    assert.equal(nodes.size, 2, 'both nodes run replicas');
    const [from, to] = [...nodes.values()];
    const path = [
      'exec',
      from?.metadata.name ?? '',
      '--',
      '/probe',
      'get',
      `http://${to?.status.podIP}:8080/`,
    ];
    await eventually(async () => assert.equal((await plinth.kubectl(path)).trim(), to?.metadata.name));
  });

  test('does not let a member join a second time', async () => {
    const { exitCode, stderr } = await plinth.run(['join', CLUSTER, '--context', `${CLUSTER}-worker-1`]);
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /member/);
  });

  test('goes back by itself when an upgrade fails, and tells why', async () => {
    const bootIds = await nodeField(plinth, '{.items[*].status.nodeInfo.bootID}');
    // kubeadm takes it for the settings of a kube-proxy of its own, finds none in it, and stops in the middle.
    await plinth.kubectl(['create', 'configmap', 'kube-proxy', '-n', 'kube-system', '--from-literal=other=']);
    const { exitCode, stderr } = await plinth.run(['kubernetes', 'upgrade', '--to', NEW]);
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /what was done has been taken back/);
    const answer = await plinth.json('get', 'kubernetes', '--context', CLUSTER);
    assert.match(JSON.stringify(answer), /"version":"1\.36\./);
    for (const version of await nodeField(plinth, '{.items[*].status.nodeInfo.kubeletVersion}'))
      assert.match(version, /^v1\.36\./);
    assert.deepEqual(await nodeField(plinth, '{.items[*].status.nodeInfo.bootID}'), bootIds);
    await plinth.kubectl(['delete', 'configmap', 'kube-proxy', '-n', 'kube-system']);
    await plinth.kubectl(['rollout', 'status', 'deployment/web', '--timeout=600s']);
  });

  test('moves to the next Kubernetes version without a reboot, while pods go on', async () => {
    const bootIds = await nodeField(plinth, '{.items[*].status.nodeInfo.bootID}');
    await plinth.print('kubernetes', 'upgrade', '--to', NEW);
    const versions = await nodeField(plinth, '{.items[*].status.nodeInfo.kubeletVersion}');
    assert.equal(versions.length, 2);
    for (const version of versions) assert.match(version, /^v1\.37\./);
    assert.deepEqual(await nodeField(plinth, '{.items[*].status.nodeInfo.bootID}'), bootIds);
    const server = JSON.parse(await plinth.kubectl(['version', '-o', 'json']));
    assert.match(server.serverVersion.gitVersion, /^v1\.37\./);
    await plinth.kubectl(['rollout', 'status', 'deployment/web', '--timeout=600s']);
  });
});

/** What "plinth cve nodes -o json" prints, as far as it is looked at here. */
interface NodesReport {
  readonly complete: boolean;
  readonly nodes: readonly {
    readonly node: string;
    readonly rootHash: string;
    readonly gaps: readonly string[];
  }[];
  readonly releases: readonly {
    readonly kind: 'release' | 'layer';
    readonly nodes: readonly string[];
    readonly report: { readonly looked: { readonly binaries: number; readonly goModules: number } };
  }[];
}

function nodesReport(answer: unknown): NodesReport {
  assert.ok(typeof answer === 'object' && answer !== null && 'nodes' in answer && 'releases' in answer);
  return answer as NodesReport;
}

/** Of the data of "migrate check". */
interface Checked {
  readonly problems: readonly unknown[];
  readonly findings: readonly {
    readonly rule: string;
    readonly subject: string;
    readonly message: string;
    readonly owner: { readonly namespace: string; readonly name: string };
    readonly observed?: { readonly count: number };
  }[];
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName: string };
  readonly status: { readonly podIP: string };
}

function condition(node: { status: { conditions: { type: string; status: string }[] } }, type: string) {
  return node.status.conditions.find((each) => each.type === type)?.status;
}

async function nodeField(plinth: PlinthCli, path: string): Promise<string[]> {
  return (await plinth.kubectl(['get', 'nodes', '-o', `jsonpath=${path}`])).split(' ');
}

/** Caches and proxies of a cluster follow with a delay; what is true will be seen within it. */
async function eventually(assertion: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await assertion();
    } catch (reason) {
      if (attempt === 20) throw reason;
      await sleep(3_000);
    }
  }
}

/** Forwards a free port of this computer to a service, asks there once, and ends the forwarding. */
async function forwardedPort(plinth: PlinthCli, target: string): Promise<{ answer: string }> {
  const child = plinth.start(['kubectl', 'port-forward', target, ':80']);
  try {
    const port = await new Promise<string>((found, fail) => {
      let text = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
        const match = /127\.0\.0\.1:(\d+)/.exec(text);
        if (match?.[1]) found(match[1]);
      });
      child.once('close', (code) => fail(new Error(`port-forward ended with ${code}: ${text}`)));
    });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    return { answer: await response.text() };
  } finally {
    child.kill('SIGTERM');
  }
}
