import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type CisFacts,
  type CisFile,
  cisBenchmark,
  evaluateCis,
  readFlags,
  readStaticPod,
} from '@plinth/agent';
import { renderKubeadmFiles } from '@plinth/agent/testing';
import { readDocument } from '@plinth/base';
import { run } from '@plinth/host';
import { findKubernetesPrograms, openProgramSet, type ProgramSet } from '@plinth/image/testing';
import { parse } from 'yaml';

// The benchmark's checks over what the real kubeadm makes of plinthd's configuration: manifests, the kubelet's
// configuration, and the modes of the files it writes.

const dataPath = fileURLToPath(
  new URL('../../os/kubernetes/tree/usr/share/plinth/kubernetes/cis.yaml', import.meta.url),
);
/** It says with which mask kubeadm writes on a node. */
const unitPath = fileURLToPath(
  new URL('../../os/kubernetes/tree/usr/lib/systemd/system/plinth-kubeadm-init.service', import.meta.url),
);
/** Documentation address (RFC 5737): kubeadm wants one that is not loopback, and nothing is ever sent to it. */
const ADVERTISED = '192.0.2.1';

/** What only a running node has. */
const NOT_HERE = ['/var/lib/etcd', '/usr/lib/systemd/system/kubelet.service'];

for (const kubernetes of await findKubernetesPrograms()) {
  const { minor, skip, version } = kubernetes;

  test(`what kubeadm ${minor} sets up passes the CIS benchmark`, { skip }, async () => {
    const data = readDocument(await readFile(dataPath, 'utf8'), dataPath, cisBenchmark, 'config/invalid');
    assert.ok(data.ok, data.ok ? '' : data.diagnostics.map(({ message }) => message).join('\n'));
    await using set = await openProgramSet(kubernetes);
    const facts = await factsOf(set, version);
    const results = evaluateCis(data.value, facts);
    assert.equal(results.length, data.value.checks.length);
    const of = (verdict: string) => results.filter((one) => one.verdict === verdict);
    assert.deepEqual(
      of('fail').map(({ id, reason }) => `${id} ${reason}`),
      [],
    );
    for (const { id, reason } of of('unknown')) {
      assert.ok(
        NOT_HERE.some((path) => reason.includes(path)),
        `${id}: ${reason}`,
      );
    }
    assert.deepEqual(
      of('accepted').map(({ id }) => id),
      ['1.2.3', '1.2.9', '1.2.11', '5.2.6', '5.2.7', '5.2.8', '5.2.10'],
    );
    assert.ok(of('pass').length >= 70, `${of('pass').length} pass`);

    // And each of these is seen when it is not so.
    const worse = (part: string, flag: string, value: string): CisFacts => ({
      ...facts,
      parts: new Map(facts.parts).set(part, new Map(facts.parts.get(part)).set(flag, value)),
    });
    const failing = (changed: CisFacts) =>
      evaluateCis(data.value, changed).flatMap(({ id, verdict }) => (verdict === 'fail' ? [id] : []));
    assert.deepEqual(failing(worse('kube-apiserver', 'authorization-mode', 'AlwaysAllow')), [
      '1.2.6',
      '1.2.7',
      '1.2.8',
    ]);
    assert.deepEqual(failing(worse('etcd', 'client-cert-auth', 'false')), ['2.2']);
    assert.deepEqual(failing(worse('kube-scheduler', 'bind-address', '0.0.0.0')), ['1.4.2']);
    const kubelet = { ...Object(facts.kubelet), authentication: { anonymous: { enabled: true } } };
    assert.deepEqual(failing({ ...facts, kubelet }), ['4.2.1', '4.2.3']);
    const key = '/etc/kubernetes/pki/sa.key';
    const files = new Map(facts.files).set(key, { mode: 0o644, owner: 'root:root' });
    assert.deepEqual(failing({ ...facts, files }), ['1.1.21']);
    const worker = evaluateCis(data.value, { ...facts, role: 'worker' });
    assert.ok(worker.every(({ id }) => id.startsWith('4.')));
  });
}

/** Lets kubeadm write everything into a folder, and looks at it as it would lie on a node. */
async function factsOf(set: ProgramSet, version: string): Promise<CisFacts> {
  const { configs, files } = renderKubeadmFiles({
    ...{ version, nodeAddress: ADVERTISED, pauseImage: 'plinth.local/pause:1', manifests: new Map() },
  });
  for (const [name, content] of files) {
    await mkdir(dirname(set.at(name)), { recursive: true });
    await writeFile(set.at(name), content);
  }
  const config = set.at('init.yaml');
  const local = configs.init
    .replaceAll('/etc/kubernetes/pki', set.at('pki'))
    .replaceAll('/var/lib/plinth/kubernetes/patches', set.at('kubernetes/patches'))
    // On a node its name is the machine's.
    .replace('name: node-1', `name: ${hostname().toLowerCase()}`)
    .replace(/(ignorePreflightErrors:)\n(?: +- .*\n)+/, '$1 [all]\n');
  await writeFile(config, local);
  const out = set.at('dry-run');
  await mkdir(out, { recursive: true });
  const mask = /^UMask=([0-7]{4})$/m.exec(await readFile(unitPath, 'utf8'))?.[1] ?? '0022';
  process.umask(Number.parseInt(mask, 8));
  await run(set.at('kubeadm'), ['init', '--dry-run', `--config=${config}`], {
    cwd: set.dir,
    env: { HOME: set.dir, PATH: `${set.dir}:/usr/sbin:/usr/bin`, KUBEADM_INIT_DRYRUN_DIR: out },
  });
  const written = await readdir(out, { recursive: true, withFileTypes: true });
  const found = new Map<string, CisFile>();
  const parts = new Map<string, ReadonlyMap<string, string>>();
  let kubelet: unknown;
  let kubeletFlags: CisFacts['kubeletFlags'];
  for (const entry of written.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const { mode, uid, gid } = await stat(path);
    const text = await readFile(path, 'utf8');
    const place = placeOf(path.slice(out.length));
    found.set(place, { mode: mode & 0o7777, owner: uid === 0 && gid === 0 ? 'root:root' : `${uid}:${gid}` });
    if (place.startsWith('/etc/kubernetes/manifests/')) parts.set(...readStaticPod(text));
    if (place === '/var/lib/kubelet/config.yaml') kubelet = parse(text);
    if (place === '/var/lib/kubelet/kubeadm-flags.env') kubeletFlags = readFlags(text.split(/[\s"]+/));
  }
  const configFiles = files.filter(([name]) => name.startsWith('kubernetes/api-server/'));
  return {
    role: 'control-plane',
    parts,
    kubelet,
    kubeletFlags,
    configs: new Map(configFiles.map(([name, text]) => [basename(name), parse(text)])),
    files: found,
  };
}

/** Where a file of kubeadm's dry run, which writes all into one folder, lies on a node. */
function placeOf(path: string): string {
  if (/^\/(kube-[a-z-]+|etcd)\.yaml$/.test(path)) return `/etc/kubernetes/manifests${path}`;
  if (/\.(crt|key|pub)$/.test(path)) return `/etc/kubernetes/pki${path}`;
  return path.endsWith('.conf') ? `/etc/kubernetes${path}` : `/var/lib/kubelet${path}`;
}
