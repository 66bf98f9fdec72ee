import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { renderKubeadmFiles } from '@plinth/agent/testing';
import { run } from '@plinth/host';
import {
  etcdArgs,
  findKubernetesPrograms,
  freePorts,
  openProcesses,
  openProgramSet,
  type ProgramSet,
} from '@plinth/image/testing';

// What plinthd writes for kubeadm, judged by the real kubeadm, and run by the real API server with the very arguments
// kubeadm makes of it.

const manifestsDir = fileURLToPath(
  new URL('../../os/kubernetes/tree/usr/share/plinth/kubernetes/manifests/', import.meta.url),
);
/** Documentation address (RFC 5737): kubeadm wants one that is not loopback, and nothing is ever sent to it. */
const ADVERTISED = '192.0.2.1';
const PAUSE = 'plinth.local/pause:1';
const PARTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

for (const kubernetes of await findKubernetesPrograms()) {
  const { minor, skip, version } = kubernetes;

  test(`kubeadm ${minor} accepts every configuration and patches the control plane`, { skip }, async () => {
    await using set = await openProgramSet(kubernetes);
    const files = await writeFiles(set, version);
    for (const [name, content] of Object.entries(files.configs)) {
      const path = join(set.dir, `${name}.yaml`);
      await writeFile(path, content);
      await set.run('kubeadm', 'config', 'validate', `--config=${path}`);
    }
    const pods = await staticPods(set, files.configs.init);
    for (const part of PARTS) {
      const pod = pods.get(part) ?? '';
      assert.match(pod, new RegExp(`^    image: ${PAUSE}$`, 'm'), part);
      assert.match(pod, /^ {4}imagePullPolicy: Never$/m, part);
      assert.match(pod, new RegExp(`^    plinth.dev/kubernetes-version: ${version}$`, 'm'), part);
      assert.match(pod, /^ {4}- mountPath: \/usr\n {6}name: node-usr\n {6}readOnly: true$/m, part);
      // Nothing of the host's read-only /usr is to be made.
      assert.doesNotMatch(pod, /path: \/usr\/\S+\n {6}type: DirectoryOrCreate\n {4}name: flex/, part);
    }
  });

  test(`kubelet ${minor} accepts its configuration`, { skip }, async () => {
    await using set = await openProgramSet(kubernetes);
    const { configs } = await writeFiles(set, version);
    const [config = ''] = configs.init.split('---\n').slice(-1);
    const start = async (text: string) => {
      // The machine of this test may still have cgroup v1; a node has not.
      const local = `${text}failCgroupV1: false\n`;
      await writeFile(set.at('kubelet.yaml'), local);
      const args = [`--config=${set.at('kubelet.yaml')}`, `--root-dir=${set.at('kubelet-root')}`];
      const env = { HOME: set.dir };
      const { stderr } = await run(set.at('kubelet'), args, { cwd: set.dir, env, okCodes: [1] });
      return stderr.toString();
    };
    // It comes as far as missing its API server: who may ask the kubelet is asked there.
    const said = await start(config);
    assert.match(said, /no client provided, cannot use webhook authentication/);
    assert.doesNotMatch(said, /strict decoding error/);
    assert.match(await start(`${config}readOnlyPortt: 1\n`), /strict decoding error: unknown field/);
  });

  test(`the API server ${minor} runs as kubeadm sets it up, hardened`, { skip }, async () => {
    await using set = await openProgramSet(kubernetes);
    const { configs } = await writeFiles(set, version);
    const [apiPort = 0, etcdPort = 0, peerPort = 0] = await freePorts(3);
    const pods = await staticPods(set, configs.init);
    const config = set.at('certs.yaml');
    await writeFile(
      config,
      localConfig(set, configs.init).replaceAll('127.0.0.1:7445', `127.0.0.1:${apiPort}`),
    );
    await set.run('kubeadm', 'init', 'phase', 'certs', 'all', `--config=${config}`);
    await set.run(
      'kubeadm',
      'init',
      'phase',
      'kubeconfig',
      'super-admin',
      `--config=${config}`,
      `--kubeconfig-dir=${set.dir}`,
    );
    const changed: Readonly<Record<string, string>> = {
      '--secure-port': String(apiPort),
      '--etcd-servers': `https://127.0.0.1:${etcdPort}`,
      '--audit-log-path': set.at('audit.log'),
    };
    const args = argumentsOf(pods.get('kube-apiserver') ?? '').map((arg) => {
      const [name = '', value = ''] = arg.split(/=(.*)/s);
      return `${name}=${changed[name] ?? value.replace('/var/lib/plinth', set.dir)}`;
    });
    await using processes = openProcesses(set.dir);
    processes.start('etcd', etcdArgs(set.dir, etcdPort, peerPort));
    processes.start('kube-apiserver', [
      ...args,
      '--bind-address=127.0.0.1',
      '--endpoint-reconciler-type=none',
    ]);
    const ca = await readFile(set.at('pki/ca.crt'), 'utf8');
    await processes.until('kube-apiserver', async () => (await statusOf(apiPort, '/readyz', ca)) === 200);
    const kubectl = (...rest: string[]) =>
      set.run('kubectl', `--kubeconfig=${set.at('super-admin.conf')}`, ...rest);
    await processes.until('kube-apiserver', async () => {
      await kubectl('get', 'namespace', 'default', 'kube-system', '-o=name');
      return true;
    });

    // Without a name: how it is, and nothing else.
    assert.equal(await statusOf(apiPort, '/livez', ca), 200);
    assert.equal(await statusOf(apiPort, '/version', ca), 401);
    assert.equal(await statusOf(apiPort, '/api/v1/namespaces', ca), 401);
    // kubeadm's discovery gets as far as the permission it sets up itself.
    assert.equal(await statusOf(apiPort, '/api/v1/namespaces/kube-public/configmaps/cluster-info', ca), 403);

    await kubectl('create', 'secret', 'generic', 'proof', '--from-literal=key=a-secret-of-this-test');
    const database = await readFolder(set.at('etcd-data'));
    assert.ok(database.includes('k8s:enc:secretbox:v1:plinth-1:'));
    assert.equal(database.includes('a-secret-of-this-test'), false);
    const audit = await readFile(set.at('audit.log'), 'utf8');
    assert.match(audit, /"resource":"secrets","namespace":"default","name":"proof"/);
    assert.equal(audit.includes('a-secret-of-this-test'), false);
    assert.equal(audit.includes(Buffer.from('a-secret-of-this-test').toString('base64')), false);

    // Pod Security: baseline is enforced, restricted warned of, Plinth's own namespace exempt.
    await kubectl('create', 'serviceaccount', 'default', '-n', 'default').catch(() => {});
    const overrides = '--overrides={"spec":{"hostNetwork":true}}';
    const pod = (namespace: string, ...rest: string[]) =>
      kubectl('run', 'proof', `-n=${namespace}`, '--image=plinth.local/none:1', '--dry-run=server', ...rest);
    await kubectl('create', 'serviceaccount', 'default', '-n', 'kube-system').catch(() => {});
    await assert.rejects(pod('default', overrides), /violates PodSecurity|baseline/);
    await pod('kube-system', overrides);
    assert.match((await pod('default')).stderr.toString(), /would violate PodSecurity "restricted/);

    // The add-ons as plinthd fills them in.
    const { stdout } = await kubectl(
      'apply',
      '--server-side',
      '--force-conflicts',
      '--dry-run=server',
      `--filename=${set.at('kubernetes/addons')}`,
    );
    for (const name of ['daemonset.apps/flannel', 'daemonset.apps/kube-proxy', 'deployment.apps/coredns'])
      assert.match(stdout.toString(), new RegExp(`^${name} `, 'm'));
  });
}

async function writeFiles(set: ProgramSet, version: string) {
  const manifests = new Map<string, string>();
  for (const name of await readdir(manifestsDir)) {
    const text = await readFile(join(manifestsDir, name), 'utf8');
    manifests.set(name, text.replaceAll(/\$\{image:[\w-]+\}/g, PAUSE));
  }
  const rendered = renderKubeadmFiles({ version, nodeAddress: ADVERTISED, pauseImage: PAUSE, manifests });
  for (const [name, content] of rendered.files) {
    await mkdir(dirname(set.at(name)), { recursive: true });
    await writeFile(set.at(name), content);
  }
  return rendered;
}

/** The configuration with this test's folders in place of the node's. */
function localConfig(set: ProgramSet, init: string): string {
  return init
    .replaceAll('/etc/kubernetes/pki', set.at('pki'))
    .replaceAll('/var/lib/plinth/kubernetes/patches', set.at('kubernetes/patches'));
}

/** The static pods that `kubeadm init` would write, by name. */
async function staticPods(set: ProgramSet, init: string): Promise<ReadonlyMap<string, string>> {
  const path = set.at('dry-run.yaml');
  // Of the host only its programs are looked for; what it lacks says nothing about a node.
  await writeFile(
    path,
    localConfig(set, init).replace(/(ignorePreflightErrors:)\n(?: +- .*\n)+/, '$1 [all]\n'),
  );
  await mkdir(set.at('dry-run'), { recursive: true });
  const { stdout } = await run(set.at('kubeadm'), ['init', '--dry-run', `--config=${path}`], {
    cwd: set.dir,
    env: {
      HOME: set.dir,
      PATH: `${set.dir}:/usr/sbin:/usr/bin`,
      KUBEADM_INIT_DRYRUN_DIR: set.at('dry-run'),
    },
  });
  const texts = stdout.toString().split(/^\[dryrun\] Would write file "\/etc\/kubernetes\/manifests\//m);
  return new Map(
    texts.slice(1).map((text) => {
      const name = text.slice(0, text.indexOf('.yaml'));
      return [name, text.replaceAll(/^\t/gm, '').split(/^\[/m)[0] ?? ''] as const;
    }),
  );
}

function argumentsOf(pod: string): string[] {
  const command = /^ {2}- command:\n((?: {4}- .*\n)+)/m.exec(pod)?.[1] ?? '';
  return command.split('\n').flatMap((line) => /^ {4}- (--.+)$/.exec(line)?.[1] ?? []);
}

async function readFolder(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = files.map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1'));
  return (await Promise.all(texts)).join('');
}

function statusOf(port: number, path: string, ca: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, ca }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}
