import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exitCodes } from '@plinth/base';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';

let fleet: FakeFleet;
before(async () => {
  fleet = await fakeFleet('n1');
});
after(() => fleet[Symbol.asyncDispose]());

/** Every command, with what its table must say. */
const COMMANDS: readonly (readonly [argv: readonly string[], says: readonly RegExp[]])[] = [
  [
    ['services'],
    [
      /^chronicle\.service +failed +5 .*exit-code 3/m,
      /^containerd\.service +active \(running\) .*58\.5 MiB/m,
    ],
  ],
  [
    ['services', '--all', '--units'],
    [/^systemd-fsck-root\.service +inactive \(dead\)/m, /^var\.mount +active \(mounted\)/m],
  ],
  [
    ['processes'],
    [
      /^PID.*\n811 +65532 +125% +256 MiB +R +pod 0b8f6c7a +\/app --listen=… …/m,
      /\[writer\]/,
      /not observed {2}command lines of processes/,
    ],
  ],
  [
    ['resources'],
    [/memory +1\.94 GiB, 1\.43 GiB available \(74%\)/, /load +1\.50 0\.75 0\.50/, /^cpu +30%/m],
  ],
  [['cgroups'], [/^ {4}pod 0b8f6c7a-52b1-4b8e-9d3c-3f2a1e0d9c8b +267 MiB .*125% +10 +1$/m]],
  [
    ['disks'],
    [
      /^vda +10\.0 GiB +virtio /m,
      /^dm-0 .*\/ +verified, signed 4f4f4f4f…4f4f4f4f$/m,
      /^SMART of vda +a virtual disk/m,
      /^nvme0n1 +failing +41 +97% +<unknown> +12 +21904$/m,
      /^nvme0n1 warns +its spare blocks have run out$/m,
    ],
  ],
  [
    ['mounts'],
    [/^\/var .*92% +10%$/m, /^\/mnt\/shared .*<unknown>/m, /use of \/mnt\/shared: another machine/],
  ],
  [
    ['network'],
    [
      /^eth0 +ether +up +configured +1500 +192\.0\.2\.7\/24 +DHCPv4\n +fe80::/m,
      /192\.0\.2\.54\* 192\.0\.2\.53/,
      /links of pods {2}1,/,
    ],
  ],
  [['network', '--all'], [/^veth1234/m]],
  [
    ['sockets'],
    [/^tcp6 +listen +\[::\]:7546 +<none> +plinthd\.service +plinthd \(127\)$/m, /sockets {2}2 listen\n/],
  ],
  [['sockets', '--all'], [/established/]],
  [
    ['time'],
    [
      /synchronised {3}yes, 1m 04s ago/,
      /offset +-1\.3 ms/,
      /stratum +2, follows 198\.51\.100\.7/,
      /drift +-3\.250 ppm/,
    ],
  ],
  [['certificates'], [/^kubelet client +2020-01-01 +ended/m, /^node API +2999-01-01 +\d+d +CN=n1 +itself$/m]],
];

for (const [argv, says] of COMMANDS) {
  test(`get ${argv.join(' ')}`, async () => {
    const { exitCode, stdout, stderr } = await fleet.plinth('get', ...argv);
    assert.equal(stderr, '');
    assert.equal(exitCode, exitCodes.ok);
    if (process.env['SHOW_TABLES']) process.stderr.write(`\n$ plinth get ${argv.join(' ')}\n${stdout}`);
    for (const pattern of says) assert.match(stdout, pattern);
    for (const line of stdout.split('\n'))
      assert.ok(line.length <= 130, `${line.length} characters: ${line}`);
    const json = await fleet.plinth('get', ...argv, '-o', 'json');
    assert.equal(json.exitCode, exitCodes.ok);
    assert.ok(JSON.parse(json.stdout));
  });
}

test('-o wide and -o name', async () => {
  const { stdout } = await fleet.plinth('get', 'services', '-o', 'wide');
  assert.match(stdout, /PID +ENABLED +DESCRIPTION/);
  assert.equal((await fleet.plinth('get', 'disks', '-o', 'name')).stdout, 'vda\nnvme0n1\n');
});

test('a list that could not be observed does not pass for an empty one', async () => {
  const { emptyText } = await import('../client/system-cells.ts');
  assert.equal(emptyText([], 'No unit is active.'), 'No unit is active.');
  assert.doesNotMatch(emptyText(['units: no answer'], 'No unit is active.'), /No unit/);
});

test('--exit-code tells of what has failed or ends soon', async () => {
  for (const what of ['services', 'certificates'])
    assert.equal((await fleet.plinth('get', what, '--exit-code')).exitCode, exitCodes.findings);
  assert.equal((await fleet.plinth('get', 'time', '--exit-code')).exitCode, exitCodes.ok);
});

test('whole command lines are refused to those who may not see them', async () => {
  const { exitCode, stderr } = await fleet.plinth('get', 'processes', '--args');
  assert.equal(exitCode, exitCodes.forbidden);
  assert.match(stderr, /api\/forbidden/);
});

test('processes are sorted by what is asked for, and nothing else is taken', async () => {
  const first = async (sort: string) =>
    (await fleet.plinth('get', 'processes', '--sort', sort, '-o', 'name')).stdout;
  assert.equal(await first('pid'), '1\n811\n812\n');
  assert.equal(await first('memory'), '811\n1\n812\n');
  assert.equal((await fleet.plinth('get', 'processes', '--sort', 'age')).exitCode, exitCodes.usage);
});
