import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { cgroupOwner } from './cgroup-owner.ts';
import { parseCounters } from './counters.ts';
import { parseCpuTimes } from './cpu-times.ts';
import { parsePressure } from './pressure.ts';
import { parseProcessCgroup, parseProcessStat, parseProcessStatus, parseUserNames } from './process-files.ts';

const read = (path: string) => readFileSync(path, 'utf8');

test('processes are what ps says they are', () => {
  const said = execFileSync('ps', ['-eo', 'pid=,uid=,nlwp='], { encoding: 'utf8' });
  let compared = 0;
  for (const line of said.trim().split('\n')) {
    const [pid = 0, uid] = line.trim().split(/ +/).map(Number);
    const files = ['stat', 'status'].map((file) => {
      try {
        return read(`/proc/${pid}/${file}`);
      } catch {
        return ''; // it has ended
      }
    });
    if (files.includes('')) continue;
    assert.equal(parseProcessStat(files[0] ?? '')?.pid, pid);
    assert.equal(parseProcessStatus(files[1] ?? '')?.uid, uid);
    compared++;
  }
  assert.ok(compared > 1);
  const own = parseProcessStat(read('/proc/self/stat'));
  assert.deepEqual([own?.pid, own?.parentPid, own?.kernelThread], [process.pid, process.ppid, false]);
});

test('parseProcessStat: a name may hold brackets, blanks and newlines', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 15 }),
      fc.nat(4_000_000),
      fc.nat(1e9),
      (name, pid, ticks) => {
        const fields = [
          'S',
          '7',
          ...Array(4).fill('0'),
          '4194560',
          ...Array(4).fill('0'),
          ticks,
          '5',
          0,
          0,
          20,
          0,
          3,
          0,
          42,
        ];
        const stat = parseProcessStat(`${pid + 1} (${name}) ${fields.join(' ')} 0 0\n`);
        assert.deepEqual(stat, {
          ...{ pid: pid + 1, name, state: 'S', parentPid: 7, kernelThread: false },
          ...{ cpuMs: (ticks + 5) * 10, threads: 3, startedMs: 420 },
        });
      },
    ),
  );
});

test('parsers take any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      parseProcessStat(text);
      parseProcessStatus(text);
      parseProcessCgroup(text);
      parseUserNames(text);
      parseCounters(text);
      parsePressure(text);
      parseCpuTimes(text);
      cgroupOwner(text);
    }),
  );
});

test('parseUserNames knows whom getent knows', () => {
  const names = parseUserNames(read('/etc/passwd'));
  assert.equal(names.get(0), 'root');
  const [, , uid = ''] = execFileSync('getent', ['passwd', 'nobody'], { encoding: 'utf8' }).split(':');
  assert.equal(names.get(Number(uid)), 'nobody');
});

test('parseCounters and parseCpuTimes read what free and nproc read', () => {
  const total = parseCounters(read('/proc/meminfo')).get('MemTotal');
  const free = execFileSync('free', ['-b'], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  assert.equal(total, Number(/^Mem: +(\d+)/m.exec(free)?.[1]));
  const online = Number(execFileSync('getconf', ['_NPROCESSORS_ONLN'], { encoding: 'utf8' }));
  assert.equal(parseCpuTimes(read('/proc/stat'))?.count, online);
  assert.equal(parseCounters('usage_usec 12\nuser_usec 7\n').get('usage_usec'), 12);
});

test('parsePressure: the processor has no line "full" on older kernels', () => {
  assert.deepEqual(parsePressure('some avg10=1.50 avg60=0.10 avg300=100.00 total=7\n'), {
    ...{ some10: 0.015, some60: 0.001, some300: 1, full10: 0, full60: 0, full300: 0 },
  });
  assert.equal(parsePressure(''), undefined);
});

test('cgroupOwner knows units, pods of both drivers, containers, and nothing else', () => {
  const uid = '0b8f6c7a-52b1-4b8e-9d3c-3f2a1e0d9c8b';
  const container = 'ab'.repeat(32);
  const none = { unit: '', podUid: '', containerId: '' };
  const slice = `kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice`;
  const cases: readonly (readonly [string, object])[] = [
    ['/', none],
    ['/system.slice', none],
    ['/init.scope', { ...none, unit: 'init.scope' }],
    ['/system.slice/containerd.service', { ...none, unit: 'containerd.service' }],
    ['/system.slice/a.service/payload', { ...none, unit: 'a.service' }],
    [`/kubepods.slice/kubepods-burstable.slice/${slice}`, { ...none, podUid: uid }],
    [
      `/kubepods.slice/kubepods-burstable.slice/${slice}/cri-containerd-${container}.scope`,
      { ...none, podUid: uid, containerId: container },
    ],
    [`/kubepods/besteffort/pod${uid}/${container}`, { ...none, podUid: uid, containerId: container }],
    // The kubelet names pods that it reads from files by a hash.
    [`/kubepods.slice/kubepods-pod${'0f'.repeat(16)}.slice`, { ...none, podUid: '0f'.repeat(16) }],
    ['/kubepods.slice/kubepods-burstable.slice', none],
  ];
  for (const [path, owner] of cases) assert.deepEqual(cgroupOwner(path), owner, path);
});
