import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { type Mapping, mappedArguments, parseMapped } from './find-mapped.ts';
import { isDone, planRestarts } from './plan-restarts.ts';

const NOW = '0:50';
const ROOT = '253:0';
const OLD_OVERLAY = '0:41';
const CONTAINER = '0:77';
const devices = { good: new Set([NOW]), former: new Set([ROOT, OLD_OVERLAY]) };
const LIB = '/usr/lib/x86_64-linux-gnu/libssl.so.3';
const POD = '/kubepods.slice/kubepods-pod01234567_89ab_cdef_0123_456789abcdef.slice/cri-containerd-x.scope';
const mapping = (cgroup: string, changes: Partial<Mapping> = {}): Mapping => ({
  ...{ pid: 100, name: 'p', cgroup, device: ROOT, path: LIB },
  ...changes,
});
const NOTHING = { reexecute: false, units: [], restartSelf: false, remaining: [] };

suite('which units map replaced files', () => {
  test('services that map them from the root or an overlay before, each once', () => {
    const plan = planRestarts(
      [
        mapping('/system.slice/systemd-resolved.service'),
        mapping('/system.slice/systemd-resolved.service', { pid: 101, device: OLD_OVERLAY }),
        mapping('/system.slice/systemd-udevd.service/udev', { pid: 102 }),
        mapping('/system.slice/fresh.service', { pid: 103, device: NOW }),
      ],
      devices,
    );
    assert.deepEqual(plan, { ...NOTHING, units: ['systemd-resolved.service', 'systemd-udevd.service'] });
  });

  test('PID 1 executes itself anew, plinthd comes last, and neither is a unit among others', () => {
    const plan = planRestarts(
      [mapping('/init.scope', { pid: 1 }), mapping('/system.slice/plinthd.service', { pid: 9 })],
      devices,
    );
    assert.deepEqual(plan, { ...NOTHING, reexecute: true, restartSelf: true });
    assert.equal(isDone(plan), false);
  });

  test('a container with a library of its own is left alone, and one with the /usr of the node is told of', () => {
    assert.deepEqual(planRestarts([mapping(POD, { device: CONTAINER })], devices), NOTHING);
    const { remaining, units } = planRestarts([mapping(POD, { pid: 7 })], devices);
    assert.deepEqual(units, []);
    assert.equal(remaining[0]?.podUid, '01234567-89ab-cdef-0123-456789abcdef');
    assert.match(remaining[0]?.reason ?? '', /a pod made anew/);
  });

  test('what cannot be restarted is told with the reason, and is no work', () => {
    const plan = planRestarts(
      [
        mapping('/system.slice/dbus.service', { pid: 5 }),
        mapping('/user.slice/session-1.scope', { pid: 6 }),
        mapping('/', { pid: 8 }),
      ],
      devices,
    );
    assert.ok(isDone(plan));
    assert.deepEqual(
      plan.remaining.map(({ pid }) => pid),
      [5, 6, 8],
    );
    assert.match(plan.remaining[0]?.reason ?? '', /reboot/);
  });

  test('every process on the host with a replaced file from elsewhere is either restarted or told of', () => {
    const cgroups = [
      '/init.scope',
      '/system.slice/a.service',
      '/system.slice/dbus.service',
      '/system.slice/plinthd.service',
      '/x.scope',
      POD,
      '/',
    ];
    const any = fc.record({
      pid: fc.integer({ min: 1, max: 99 }),
      cgroup: fc.constantFrom(...cgroups),
      device: fc.constantFrom(NOW, ROOT, OLD_OVERLAY, CONTAINER),
    });
    fc.assert(
      fc.property(fc.array(any), (some) => {
        const mappings = some.map(({ pid, cgroup, device }) => mapping(cgroup, { pid, device }));
        const plan = planRestarts(mappings, devices);
        for (const { pid, cgroup, device } of mappings) {
          const told = plan.remaining.some((one) => one.pid === pid);
          const unit = cgroup.split('/').at(-1) ?? '';
          const restarted =
            plan.units.includes(unit) ||
            ((pid === 1 || unit === 'init.scope') && plan.reexecute) ||
            (unit === 'plinthd.service' && plan.restartSelf);
          const isOwnFile = device === CONTAINER && (cgroup === POD || cgroup === '/');
          if (device !== NOW && !isOwnFile) assert.ok(told || restarted, `${pid} ${cgroup} ${device}`);
        }
        const onlyGood = mappings.every(({ device }) => device === NOW);
        if (onlyGood) assert.deepEqual(plan, NOTHING);
      }),
    );
  });
});

suite('what plinth-mapped says', () => {
  const line = JSON.stringify(mapping('/init.scope', { pid: 1 }));

  test('is read with its end', () => {
    assert.deepEqual(parseMapped(`${line}\n{"seen":3,"hidden":1}\n`), {
      ...{ mappings: [mapping('/init.scope', { pid: 1 })], seen: 3, hidden: 1 },
    });
  });

  test('without its end, or in another shape, is no answer', () => {
    for (const text of ['', line, `${line}\n`, `nonsense\n{"seen":3,"hidden":1}`, '{"seen":-1,"hidden":0}'])
      assert.throws(
        () => parseMapped(text),
        (error) => error instanceof PlinthError && error.code === 'hot-layer/unobserved',
        text,
      );
  });

  test('it is asked in a unit of its own that may read maps and nothing else', () => {
    const args = mappedArguments([LIB]);
    assert.deepEqual(args.slice(-3), ['--', '/usr/bin/plinth-mapped', LIB]);
    assert.ok(args.includes('--property=CapabilityBoundingSet=CAP_SYS_PTRACE'));
    assert.ok(args.includes('--property=ProtectSystem=strict'));
  });
});
