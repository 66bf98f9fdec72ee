import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient, createRouterTransport } from '@connectrpc/connect';
import { ListMountsResponseSchema, SystemService } from '@plinth/api';
import type { Role } from '../server/caller.ts';
import { callerKey } from '../server/guard.ts';
import { nodeSys } from '../sys/node-sys.ts';
import type { Sys } from '../sys/sys.ts';
import { makeAuthority } from '../testing/authority.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { soundNode } from '../testing/sound-node.ts';
import { apiCertificates } from './list-certificates.ts';
import { listMounts } from './list-mounts.ts';
import { listProcesses } from './list-processes.ts';
import { listSockets } from './list-sockets.ts';
import { systemService } from './system-service.ts';

const signal = new AbortController().signal;
const plain = { sampleMs: 0, words: false, kernelThreads: false, signal };

function clientOf(sys: Sys, role: Role = 'plinth:reader', pem = '') {
  const verdict = { ok: true, caller: { commonName: 'alice', role } } as const;
  const transport = createRouterTransport(systemService({ sys, certificates: apiCertificates(pem, []) }), {
    router: {
      interceptors: [
        (next) => (request) => {
          request.contextValues.set(callerKey, verdict);
          return next(request);
        },
      ],
    },
  });
  return createClient(SystemService, transport);
}

const status = (uid: number) => `Name:\tx\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nVmRSS:\t  100 kB\n`;
const stat = (pid: number, name: string, state = 'S', flags = 0) =>
  `${pid} (${name}) ${state} 1 0 0 0 0 ${flags} 0 0 0 0 100 50 0 0 20 0 2 0 1000 0\n`;

function machine(): Parameters<typeof fakeSys>[0] {
  const node = soundNode();
  return {
    ...node,
    files: {
      ...node.files,
      '/etc/passwd': 'root:x:0:0::/root:/x\n',
      '/proc/7/stat': stat(7, 'app'),
      '/proc/7/status': status(0),
      '/proc/7/cgroup': '0::/system.slice/app.service\n',
      '/proc/7/cmdline': '/bin/app\0--token=hunter2\0',
      '/proc/8/stat': stat(8, 'writer', 'D'),
      '/proc/8/status': status(1000),
      '/proc/8/cgroup': '0::/\n',
      '/proc/8/cmdline': 'never read',
      '/proc/9/stat': stat(9, 'kworker', 'I', 0x20_0000),
      '/proc/9/status': status(0),
      '/proc/9/cgroup': '0::/\n',
      '/proc/10/stat': stat(10, 'ends meanwhile'),
    },
    broken: { '/proc/8/cmdline': 'EIO' },
  };
}

test('a reader sees processes without the values of their command lines; only an admin sees all words', async () => {
  const sys = fakeSys(machine());
  const { processes, total, notObserved } = await clientOf(sys).listProcesses({});
  assert.deepEqual(
    processes.map(({ pid, user, command, unit }) => [pid, user, command, unit]),
    [
      [7, 'root', '/bin/app --token=…', 'app.service'],
      [8, '1000', '', ''],
    ],
  );
  assert.equal(total, 2);
  assert.match(notObserved.join(), /wait for a disk \(1\)/);
  assert.ok(
    !JSON.stringify(processes, (_, value) => (typeof value === 'bigint' ? String(value) : value)).includes(
      'hunter2',
    ),
  );
  for (const role of ['plinth:reader', 'plinth:operator'] as const)
    await assert.rejects(
      clientOf(sys, role).listProcesses({ arguments: true }),
      (reason) => reason instanceof ConnectError && reason.code === Code.PermissionDenied,
    );
  const all = await clientOf(sys, 'plinth:admin').listProcesses({ arguments: true, kernelThreads: true });
  assert.deepEqual(all.processes[0]?.arguments, ['/bin/app', '--token=hunter2']);
  assert.deepEqual(
    all.processes.map(({ name }) => name),
    ['app', 'writer', 'kworker'],
  );
});

test('every call answers on a machine that tells next to nothing, and says what is missing', async () => {
  const bare = fakeSys({ files: { '/proc/uptime': '10.00 1\n', '/proc/1/stat': stat(1, 'init') } });
  const client = clientOf(bare);
  const answers = {
    services: await client.listServices({}),
    processes: await client.listProcesses({}),
    resources: await client.getResources({}),
    cgroups: await client.listCgroups({}),
    disks: await client.listDisks({}),
    mounts: await client.listMounts({}),
    network: await client.getNetwork({}),
    sockets: await client.listSockets({}),
    time: await client.getTime({}),
    certificates: await client.listCertificates({}),
  };
  for (const [name, { notObserved }] of Object.entries(answers)) assert.ok(notObserved.length > 0, name);
});

test('a sample has its bounds', async () => {
  for (const sample of [{ seconds: 6n }, { seconds: -1n }])
    await assert.rejects(
      clientOf(fakeSys(machine())).getResources({ sample }),
      (reason) => reason instanceof ConnectError && reason.code === Code.InvalidArgument,
    );
});

test('the certificate of the API is listed, with what is absent left out', async () => {
  using authority = makeAuthority();
  const { certificates, notObserved } = await clientOf(
    fakeSys({}),
    'plinth:reader',
    authority.certificatePem,
  ).listCertificates({});
  assert.deepEqual([certificates.map(({ purpose }) => purpose), notObserved], [['node API'], []]);
  assert.match(certificates[0]?.fingerprint ?? '', /^sha256:[0-9a-f]{64}$/);
});

test('mounts of this machine are those that findmnt lists, with the sizes that df gives', async () => {
  const answer = create(ListMountsResponseSchema, await listMounts(nodeSys(), { all: true }));
  const listed = execFileSync('findmnt', ['-rno', 'TARGET', '-N', '1'], { encoding: 'utf8' });
  const plainText = (text: string) =>
    text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const targets = new Set(answer.mounts.map(({ target }) => target));
  const missing = listed
    .trim()
    .split('\n')
    .map(plainText)
    .filter((target) => !targets.has(target));
  // Others mount and unmount at the same time.
  assert.ok(missing.length <= 2, missing.join());
  const root = answer.mounts.findLast(({ target }) => target === '/');
  const [, sizes = ''] = execFileSync('df', ['--output=size,itotal', '-B1', '/'], { encoding: 'utf8' }).split(
    '\n',
  );
  assert.deepEqual(
    [Number(root?.usage?.sizeBytes), Number(root?.usage?.inodes)],
    sizes.trim().split(/\s+/).map(Number),
  );
});

test('this process is among the processes, and uses processors while it works', async () => {
  let done = false;
  const asked = listProcesses(nodeSys(), { ...plain, sampleMs: 300 }).finally(() => {
    done = true;
  });
  const work = () => {
    for (const end = Date.now() + 20; Date.now() < end; );
    if (!done) setImmediate(work);
  };
  work();
  const own = (await asked).processes?.find(({ pid }) => pid === process.pid);
  assert.ok((own?.cpu ?? 0) > 0.1, `${own?.cpu}`);
  assert.ok(Number(own?.memoryBytes) > 10_000_000);
});

test('20,000 processes are cut at 10,000 and counted', async () => {
  const base = fakeSys(machine());
  const many: Sys = {
    ...base,
    readDir: async () => Array.from({ length: 20_000 }, (_, index) => String(index + 1)),
    readAtOnce: (path) => {
      if (path.endsWith('/stat')) return stat(Number(path.split('/')[2]), 'x');
      return path.endsWith('/status') ? status(0) : '0::/\n';
    },
    readFile: async (path) => (path.endsWith('/cmdline') ? Buffer.from('/bin/x\0') : base.readFile(path)),
  };
  const { processes, total } = await listProcesses(many, plain);
  assert.deepEqual([processes?.length, total], [10_000, 20_000]);
});

test('of 150,000 sockets 100,000 are counted and 10,000 shown, those that listen first', async () => {
  const row = (state: string, port: number) =>
    `  1: 0100007F:${port.toString(16).padStart(4, '0').toUpperCase()} 0100007F:0050 ${state} 00000000:00000000 00:00000000 00000000 0 0 ${port + 1} 1 0`;
  const many: Sys = {
    ...fakeSys(machine()),
    async *readLines(path) {
      if (path !== '/proc/net/tcp') return;
      for (let sent = 0; sent < 150_000; sent += 1_000)
        yield Array.from({ length: 1_000 }, (_, index) => row(index === 999 ? '0A' : '01', index));
    },
  };
  const { sockets, total, states, notObserved } = await listSockets(many, { listeningOnly: false });
  assert.deepEqual([sockets?.length, total, states?.['LISTEN']], [10_000, 100_000, 100]);
  assert.equal(sockets?.[99]?.state, 'LISTEN');
  assert.match(notObserved?.join() ?? '', /sockets beyond 100000/);
});
