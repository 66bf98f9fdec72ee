import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { installManifests } from '@plinth/fleet';
import { eventually } from '@plinth/host/testing';
import { endProcess, findKubernetesPrograms, startControlPlane } from '@plinth/image/testing';
import { applyObject, askKube, openKindMap, openKubeConnection, readClusterAccess } from '@plinth/kube';
import { runCli } from '../run-cli.ts';
import { unpackImage } from '../testing/unpack-image.ts';

// The image of the operator as a pod has it: its own files and no others, its own account, its own user; and it leads.

const kubernetes = (await findKubernetesPrograms()).at(-1);
const skip =
  kubernetes === undefined || kubernetes.skip || (process.getuid?.() !== 0 && 'a root of its own needs root');
const NAMESPACE = 'plinth-fleet';
const folder = mkdtempSync(join(tmpdir(), 'plinth-operator-image-'));
after(() => rmSync(folder, { recursive: true }));

test('the image of the operator holds all it needs: it starts as in a pod and leads', {
  skip,
  timeout: 180_000,
}, async () => {
  assert.ok(kubernetes);
  const signal = AbortSignal.timeout(170_000);
  const archive = join(folder, 'fleet.tar');
  const quiet = { write: () => undefined };
  const world = { stdout: quiet, stderr: process.stderr, env: process.env };
  assert.equal(await runCli(['fleet', 'image', '-q', '-O', archive], world, signal), 0);
  const { root, entrypoint, user } = unpackImage(archive, folder);
  assert.equal(user, '65532:65532');

  await using plane = await startControlPlane(kubernetes);
  const access = await readClusterAccess(plane.at('super-admin.conf'), undefined, signal);
  using admin = openKubeConnection(access);
  const kinds = openKindMap(admin);
  const install = { namespace: NAMESPACE, image: 'none', replicas: 1, mayDeletePods: false };
  for (const object of installManifests(install)) await applyObject(admin, kinds, object, 'test', signal);
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 600 },
  };
  const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/plinth-fleet/token`;
  const token = (await askKube(admin, { method: 'POST', path, body }, signal)) as {
    status: { token: string };
  };
  // What the kubelet mounts.
  mount(root, 'var/run/secrets/kubernetes.io/serviceaccount', {
    token: token.status.token,
    'ca.crt': plane.caPem,
  });
  const pem = (name: string) => readFileSync(join(plane.pki, name), 'utf8');
  mount(root, 'etc/plinth-fleet/node', {
    'tls.crt': pem('apiserver-kubelet-client.crt'),
    'tls.key': pem('apiserver-kubelet-client.key'),
  });
  const child = spawn('chroot', ['--userspec=65532:65532', root, ...entrypoint], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: '/usr/sbin:/usr/bin',
      ...{ KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(plane.apiPort) },
      ...{ PLINTH_FLEET_NAMESPACE: NAMESPACE, POD_NAME: 'pod-1', NODE_NAME: '' },
      ...{ PLINTH_FLEET_HTTP_ADDRESS: '127.0.0.1', PLINTH_FLEET_HTTP_PORT: '0' },
    },
  });
  const pieces: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => pieces.push(String(piece)));
  const said = () => pieces.join('');
  const patience = { patienceMs: 60_000, isHopeless: () => child.exitCode !== null };
  try {
    const lease = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/plinth-fleet`;
    await eventually(async () => {
      const { status, text } = await admin.call({ method: 'GET', path: lease }, signal);
      return status === 200 && text.includes('"holderIdentity":"pod-1');
    }, patience);
    await eventually(async () => {
      const port = /metrics at port (\d+)/.exec(said())?.[1];
      if (port === undefined) return false;
      return (await fetch(`http://127.0.0.1:${port}/readyz`, { signal })).status === 200;
    }, patience);
  } catch (cause) {
    throw new Error(`the operator does not lead (exit ${child.exitCode}):\n${said()}`, { cause });
  } finally {
    await endProcess(child);
  }
});

function mount(root: string, place: string, files: Readonly<Record<string, string>>): void {
  const dir = join(root, place);
  mkdirSync(dir, { recursive: true });
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(dir, name), content, { mode: 0o444 });
}
