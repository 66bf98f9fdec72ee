import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { suite, test } from 'node:test';
import type { ContractCheck } from '@plinth/config';
import { runCheck, unknown } from '../../checks/check.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import { type CheckRun, openContainerChecks } from './container-checks.ts';
import { defaultRouteCheck, defaultRoutes, hasIpv4Default, hasIpv6Default } from './default-routes.ts';
import { ownApiCheck } from './own-api-check.ts';
import { choosePods, judgePods, policyChecks, type ReadyPod } from './policy-checks.ts';

// As the kernel writes them (proc_net(5), linux/route.h).
const ROUTES4 = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
enp1s0\t00000000\t0202000A\t0003\t0\t0\t1024\t00000000\t0\t0\t0
enp1s0\t0002000A\t00000000\t0001\t0\t0\t1024\t00FFFFFF\t0\t0\t0
`;
const ROUTES6 = `fec00000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001   enp1s0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000002 00000400 00000001 00000000 00000003   enp1s0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`;

suite('the way out', () => {
  test('default routes are read by family; what leads nowhere is none', async () => {
    assert.ok(hasIpv4Default(ROUTES4));
    assert.ok(hasIpv6Default(ROUTES6));
    assert.ok(!hasIpv4Default(ROUTES4.replace('0003', '0002')));
    assert.ok(!hasIpv6Default(ROUTES6.split('\n').slice(2).join('\n')));
    assert.ok(!hasIpv4Default(''));
    const sys = fakeSys({ files: { '/proc/net/route': ROUTES4, '/proc/net/ipv6_route': ROUTES6 } });
    assert.deepEqual(await defaultRoutes(sys), ['IPv4', 'IPv6']);
  });

  test('what was there before has to be there again; more does not hurt', async () => {
    const sys = fakeSys({ files: { '/proc/net/route': ROUTES4 } });
    const verdict = async (...before: ('IPv4' | 'IPv6')[]) =>
      (await runCheck(defaultRouteCheck(before), sys)).verdict;
    assert.deepEqual(
      [await verdict(), await verdict('IPv4'), await verdict('IPv4', 'IPv6')],
      ['pass', 'pass', 'fail'],
    );
  });

  test('the API has to answer at an address of the network', async () => {
    const asked: unknown[] = [];
    const check = (addresses: readonly string[], code: string) =>
      runCheck(
        ownApiCheck(
          {
            connect: async (target) => {
              asked.push(target);
              return code;
            },
          },
          () => 7546,
        ),
        fakeSys({ addresses }),
      );
    assert.equal((await check(['10.0.2.15'], '')).verdict, 'pass');
    assert.deepEqual(asked, [{ host: '10.0.2.15', port: 7546 }]);
    assert.equal((await check(['10.0.2.15'], 'ECONNREFUSED')).verdict, 'fail');
    assert.equal((await check([], '')).verdict, 'fail');
  });
});

suite('checks that a machine config asks for', () => {
  const parts = {
    ...{ probe: { connect: async () => 'ECONNREFUSED' }, pods: async () => [], timeoutMs: 2000 },
    container: () => unknown('it runs'),
  };
  const run = async (check: ContractCheck, more: Partial<typeof parts> = {}, sys = fakeSys({})) => {
    const [spec] = policyChecks([check], { ...parts, ...more });
    assert.ok(spec);
    return runCheck(spec, sys);
  };

  test('HTTP: the status decides, and silence fails', async () => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/healthz' ? 200 : 503;
      response.end('x'.repeat(100_000));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      assert.ok(address !== null && typeof address === 'object');
      const url = (path: string) => `http://127.0.0.1:${address.port}${path}`;
      const http = (path: string, status = 200) => run({ name: 'web', http: { url: url(path), status } });
      assert.partialDeepStrictEqual(await http('/healthz'), { id: 'policy-web', verdict: 'pass' });
      assert.partialDeepStrictEqual(await http('/other'), { verdict: 'fail', observed: 'status 503' });
      assert.equal((await http('/other', 503)).verdict, 'pass');
    } finally {
      server.close();
    }
    assert.equal(
      (await run({ name: 'web', http: { url: 'http://127.0.0.1:1/', status: 200 } })).verdict,
      'fail',
    );
  });

  test('TCP and units', async () => {
    const tcp = { name: 'db', tcp: { host: '10.0.0.9', port: 5432 } };
    assert.partialDeepStrictEqual(await run(tcp), { verdict: 'fail', observed: 'ECONNREFUSED' });
    assert.equal((await run(tcp, { probe: { connect: async () => '' } })).verdict, 'pass');
    const unit = { name: 'storage', unit: 'multipathd.service' };
    const asked =
      '/usr/bin/systemctl show --no-pager --property=LoadState,ActiveState,SubState multipathd.service';
    const active = fakeSys({
      programs: { [asked]: 'LoadState=loaded\nActiveState=active\nSubState=running\n' },
    });
    const missing = fakeSys({ programs: { [asked]: 'LoadState=not-found\nActiveState=inactive\n' } });
    assert.deepEqual(
      [
        (await run(unit, {}, active)).verdict,
        (await run(unit, {}, missing)).verdict,
        (await run(unit)).verdict,
      ],
      ['pass', 'fail', 'unknown'],
    );
  });

  const pod = (name: string, labels: Record<string, string>, ready: string, namespace = 'web'): ReadyPod => ({
    metadata: { name, namespace, labels },
    status: { conditions: [{ type: 'Ready', status: ready }] },
  });

  test('pods: those with every label, all ready, at least one', () => {
    const pods = [pod('a', { app: 'web', tier: 'front' }, 'True'), pod('b', { app: 'web' }, 'False')];
    const chosen = (labels: string, namespace = 'web') =>
      choosePods(pods, { namespace, labels }).map(({ metadata }) => metadata.name);
    assert.deepEqual(
      [chosen('app=web'), chosen('app=web,tier=front'), chosen('tier')],
      [['a', 'b'], ['a'], ['a']],
    );
    assert.deepEqual([chosen('app=web', 'other'), chosen('constructor')], [[], []]);
    assert.equal(judgePods(pods).verdict, 'fail');
    assert.equal(judgePods(pods.slice(0, 1)).verdict, 'pass');
    assert.equal(judgePods([]).verdict, 'fail');
  });

  test('a cluster that does not answer is not a healthy one', async () => {
    const silent = async () => {
      throw new Error('no answer');
    };
    const asked = { name: 'p', pod: { namespace: 'web', labels: 'app=web' } };
    assert.equal((await run(asked, { pods: silent })).verdict, 'unknown');
  });

  test('a container: started by one look, told of by a later one; run again until it ends well', async () => {
    let nowMs = 0;
    const runs: string[] = [];
    const ends: CheckRun[] = [
      { reason: 'it ended with exit code 1', output: 'no disk\n' },
      { reason: '', output: '' },
    ];
    const look = openContainerChecks(
      async ({ name, image }) => {
        runs.push(`${name} ${image}`);
        return ends.shift() ?? assert.fail('one run too many');
      },
      () => nowMs,
    );
    const container = { image: 'a.example/x@sha256:00', timeout: '1m' };
    const see = async () => {
      const { verdict, observed } = look('disk', container);
      await new Promise((resolve) => setImmediate(resolve));
      return `${verdict}: ${observed}`;
    };
    assert.equal(await see(), 'unknown: it runs');
    assert.equal(await see(), 'fail: it ended with exit code 1: no disk');
    nowMs += 10_000;
    assert.equal(await see(), 'fail: it ended with exit code 1: no disk');
    assert.equal(await see(), 'pass: ended well');
    nowMs += 59_999;
    assert.equal(await see(), 'pass: ended well');
    assert.deepEqual(runs, Array(2).fill('check-disk a.example/x@sha256:00'));
  });
});
