import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
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
  timeout: 240_000,
}, async () => {
  const folder = await scratchFolder('watch');
  const [keys, releases] = [join(folder, 'keys'), join(folder, 'releases')];
  await initKeys(keys, {});
  await mkdir(releases);
  // A lock stands for a release, and nothing is fetched: what is judged, and by what, is for other tests.
  await symlink(LOCK, join(releases, 'plinth.lock.json'));
  // As a Secret is mounted: files behind links. Whom they are lent to is for the test of the image.
  const mounted = join(folder, 'mounted');
  await mkdir(mounted);
  for (const name of await readdir(keys)) await symlink(join(keys, name), join(mounted, name));
  const unit = /^ExecStart=\/opt\/plinth\/plinth (.*)$/m.exec(await read('plinth-cve-watch.service'))?.[1];
  for (const [name, words, turns] of [
    ['pod', listAt(container, 'args').map(String), 2],
    ['unit', String(unit).split(' '), 1],
  ] as const) {
    const state = join(folder, name);
    const env = {
      ...{ PATH: '/usr/bin:/bin', PLINTH_STATE_DIR: state, PLINTH_KEYS: mounted },
      ...{ PLINTH_CACHE_DIR: join(state, 'cache'), PLINTH_CONFIG_DIR: join(state, 'config') },
    };
    const here = words.map((word) =>
      word
        .replace(/\$\{STATE_DIRECTORY\}/, state)
        .replace('/var/lib/plinth', state)
        .replace(/^(?:\/srv\/plinth)?\/releases$/, releases),
    );
    for (let turn = 0; turn < turns; turn++) {
      // 3: no feed is here, so no clock can be told; a run says so, and leaves its report.
      const args = [LAUNCHER, ...here, '--offline', '-o', 'json'];
      const ended = await promisify(execFile)(process.execPath, args, { env }).then(
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

test('the drop-in follows the feeds with the same folders, judges at once, and ends with 0 when systemd stops it', {
  timeout: 240_000,
}, async () => {
  const dropIn = await read('plinth-cve-follow.conf');
  const lines = dropIn.split('\n').filter((line) => line.startsWith('ExecStart='));
  const command = /^ExecStart=(.*) --exit-code$/m.exec(await read('plinth-cve-watch.service'))?.[1];
  // The first, empty one takes back what the service has.
  assert.deepEqual(lines, ['ExecStart=', `ExecStart=${command} --follow`]);
  const folder = await scratchFolder('follow');
  await initKeys(join(folder, 'keys'), {});
  const out = join(folder, 'out');
  const env = {
    ...{ PATH: '/usr/bin:/bin', PLINTH_STATE_DIR: folder, PLINTH_KEYS: join(folder, 'keys') },
    PLINTH_CACHE_DIR: join(folder, 'cache'),
  };
  const args = [LAUNCHER, 'cve', 'watch', LOCK, '--to', out, '--follow', '--offline', '-o', 'json'];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [piece] = await once(child.stdout, 'data');
  assert.deepEqual(at(JSON.parse(String(piece)), 'changes'), ['first look']);
  assert.equal((await readdir(join(out, 'reports'))).length, 2);
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});
