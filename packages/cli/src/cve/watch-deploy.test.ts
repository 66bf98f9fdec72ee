import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { scratchFolder } from '@plinth/host/testing';
import { initKeys } from '@plinth/trust';
import { parseAllDocuments } from 'yaml';

// What starts the watch twice a day: the hardening stands there, and the very commands run.

const deploy = new URL('../../../advisory/deploy/', import.meta.url);
const read = async (name: string) => await readFile(new URL(name, deploy), 'utf8');
const LAUNCHER = fileURLToPath(new URL('../main.ts', import.meta.url));
const LOCK = fileURLToPath(new URL('../../../../os/plinth.lock.json', import.meta.url));

const documents = parseAllDocuments(await read('cronjob.yaml')).map((document): unknown => {
  assert.deepEqual(document.errors, []);
  return document.toJS();
});

/** What stands at a path of keys; undefined when nothing does. */
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}
function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const list = at(value, ...path);
  assert.ok(Array.isArray(list), path.join('.'));
  return list;
}
function ofKind(kind: string): unknown {
  const found = documents.filter((document) => at(document, 'kind') === kind);
  assert.equal(found.length, 1, kind);
  return found[0];
}
const job = at(ofKind('CronJob'), 'spec');
const pod = at(job, 'jobTemplate', 'spec', 'template', 'spec');
const container = at(pod, 'containers', 0);

test('CronJob: twice a day in UTC, one at a time, made up for when missed, with an end', () => {
  assert.deepEqual([at(job, 'schedule'), at(job, 'timeZone')], ['0 6,18 * * *', 'Etc/UTC']);
  assert.equal(at(job, 'concurrencyPolicy'), 'Forbid');
  const late = Number(at(job, 'startingDeadlineSeconds'));
  assert.ok(late >= 3600 && late <= 12 * 3600);
  assert.ok(Number(at(job, 'jobTemplate', 'spec', 'activeDeadlineSeconds')) <= 6 * 3600);
  assert.equal(at(pod, 'restartPolicy'), 'Never');
});

test('CronJob: restricted, read-only root, no account of the API server', () => {
  const labels = at(ofKind('Namespace'), 'metadata', 'labels');
  assert.equal(at(labels, 'pod-security.kubernetes.io/enforce'), 'restricted');
  const account = ofKind('ServiceAccount');
  assert.equal(at(account, 'automountServiceAccountToken'), false);
  assert.equal(at(pod, 'automountServiceAccountToken'), false);
  assert.equal(at(account, 'metadata', 'name'), at(pod, 'serviceAccountName'));
  // Nobody gives that account anything.
  assert.ok(documents.every((document) => !/Role/.test(String(at(document, 'kind')))));
  for (const host of ['hostNetwork', 'hostPID', 'hostIPC']) assert.equal(at(pod, host), undefined);
  assert.equal(at(pod, 'securityContext', 'runAsNonRoot'), true);
  assert.ok(Number(at(pod, 'securityContext', 'runAsUser')) > 0);
  assert.equal(at(pod, 'securityContext', 'seccompProfile', 'type'), 'RuntimeDefault');
  assert.equal(listAt(pod, 'containers').length, 1);
  assert.deepEqual(at(container, 'securityContext'), {
    ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, privileged: false },
    capabilities: { drop: ['ALL'] },
  });
  assert.match(String(at(container, 'image')), /@sha256:[0-9a-f]{64}$/);
  for (const resource of ['memory', 'ephemeral-storage'])
    assert.ok(at(container, 'resources', 'limits', resource), resource);
});

test('CronJob: writes to its own volumes only, every mount has one, everything is in one namespace', () => {
  const mounts = listAt(container, 'volumeMounts');
  const volumes = listAt(pod, 'volumes');
  const names = (list: readonly unknown[]) => list.map((each) => String(at(each, 'name')));
  assert.deepEqual(names(mounts).sort(), names(volumes).sort());
  assert.deepEqual(names(mounts.filter((mount) => at(mount, 'readOnly') !== true)), [
    'state',
    'cache',
    'tmp',
    'private',
  ]);
  for (const volume of volumes) {
    assert.equal(at(volume, 'hostPath'), undefined);
    if (at(volume, 'emptyDir')) assert.ok(at(volume, 'emptyDir', 'sizeLimit'));
    if (at(volume, 'secret')) assert.equal(at(volume, 'secret', 'defaultMode'), 0o440);
  }
  for (const document of documents)
    if (at(document, 'kind') !== 'Namespace')
      assert.equal(at(document, 'metadata', 'namespace'), 'plinth-watch');
  const policy = at(ofKind('NetworkPolicy'), 'spec');
  assert.deepEqual(at(policy, 'policyTypes'), ['Ingress', 'Egress']);
  assert.equal(at(policy, 'ingress'), undefined);
  const ports = listAt(policy, 'egress').flatMap((rule) =>
    listAt(rule, 'ports').map((each) => at(each, 'port')),
  );
  assert.deepEqual([...new Set(ports)], [53, 80, 443]);
});

test('the unit: hardened, writes to its own folders only, has its keys or fails', async () => {
  const unit = await read('plinth-cve-watch.service');
  const values = (key: string) =>
    [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value);
  for (const key of ['NoNewPrivileges', 'PrivateTmp', 'PrivateDevices', 'ProtectHome', 'RestrictNamespaces'])
    assert.deepEqual(values(key), ['yes'], key);
  assert.deepEqual(values('CapabilityBoundingSet'), ['']);
  assert.deepEqual(values('ProtectSystem'), ['strict']);
  assert.deepEqual(values('ReadWritePaths'), []);
  assert.deepEqual(values('User'), ['plinth-watch']);
  assert.match(await read('plinth-cve-watch.sysusers.conf'), /^u plinth-watch /m);
  assert.deepEqual(values('AssertPathExists'), ['/etc/plinth/watch-keys/keyring.json']);
  assert.match(await read('plinth-cve-watch.timer'), /^Persistent=true$/m);
});

test('both commands run as they stand: a signed report, and again without a change', {
  timeout: 120_000,
}, async () => {
  const folder = await scratchFolder('watch');
  const [keys, releases, plinth] = [join(folder, 'keys'), join(folder, 'releases'), join(folder, 'plinth')];
  await initKeys(keys, {});
  await mkdir(releases);
  // A lock stands for a release, and nothing is fetched: what is judged, and by what, is for other tests.
  await symlink(LOCK, join(releases, 'plinth.lock.json'));
  const script = `#!/bin/sh\nexec '${process.execPath}' '${LAUNCHER}' "$@" --offline -o json\n`;
  await writeFile(plinth, script, { mode: 0o755 });
  // As a Secret is mounted: files that a group may read, behind links.
  const [secret, mounted] = [join(folder, 'secret'), join(folder, 'mounted')];
  await mkdir(mounted);
  await cp(keys, secret, { recursive: true });
  for (const name of (await readdir(secret)).filter((each) => /\.(?:pem|json)$/.test(each))) {
    await chmod(join(secret, name), 0o440);
    await symlink(join(secret, name), join(mounted, name));
  }
  const unit = /^ExecStart=\/bin\/sh -c '(.*)'$/m.exec(await read('plinth-cve-watch.service'))?.[1];
  for (const [name, text, turns] of [
    ['pod', String(at(container, 'args', 0)), 2],
    ['unit', String(unit), 1],
  ] as const) {
    const state = join(folder, name);
    const env = {
      ...{ PATH: '/usr/bin:/bin', STATE_DIRECTORY: state, PLINTH_STATE_DIR: state },
      ...{ PLINTH_CACHE_DIR: join(state, 'cache'), PLINTH_CONFIG_DIR: join(state, 'config') },
      PLINTH_KEYS: name === 'pod' ? join(state, 'private', 'keys') : keys,
    };
    const here = text
      .replace('/opt/plinth/plinth', plinth)
      .replace(/(?:\/srv\/plinth)?\/releases\//, `${releases}/`)
      .replace('/var/lib/plinth', state)
      .replaceAll('/etc/plinth/watch-keys', mounted)
      .replaceAll('/run/plinth', join(state, 'private'));
    for (let turn = 0; turn < turns; turn++) {
      // The volume of the copied keys is empty when a pod starts.
      await rm(join(state, 'private'), { recursive: true, force: true });
      await mkdir(join(state, 'private'), { recursive: true });
      // 3: no feed is here, so no clock can be told; a run says so, and leaves its report.
      const ended = await promisify(execFile)('/bin/sh', ['-c', here], { env }).then(
        ({ stdout }) => ({ code: 0, stdout }),
        (reason: { readonly code: number; readonly stdout: string }) => reason,
      );
      assert.ok(ended.code === 0 || ended.code === 3, `${name}: ${JSON.stringify(ended)}`);
      const subject = String(at(JSON.parse(ended.stdout), 0, 'subject'));
      assert.match(subject, /^lock_/);
      const reports = await readdir(join(state, 'advisories', 'reports'));
      assert.deepEqual(reports.sort(), [`${subject}.json`, `${subject}.json.dsse`]);
    }
  }
});
