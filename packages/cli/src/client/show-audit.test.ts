import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';

async function fleetWithLog(): Promise<FakeFleet> {
  const fleet = await fakeFleet('n1');
  const log = fleet.nodes.get('n1')?.access;
  for (const method of ['NodeService.GetHealth', 'MachineService.Reboot', 'EtcdService.SnapshotEtcd'])
    log?.record(method, 'alice');
  return fleet;
}

function logOf(fleet: FakeFleet) {
  const node = fleet.nodes.get('n1');
  assert.ok(node);
  return node.access;
}

test('audit log shows who called what; -o json gives one object a line', async () => {
  await using fleet = await fleetWithLog();
  const shown = await fleet.plinth('audit', 'log');
  assert.match(shown.stdout, /alice MachineService.Reboot ok 3 ms/);
  const lines = (await fleet.plinth('audit', 'log', '-o', 'json')).stdout.trim().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)).map(({ node, method }) => [node, method]),
    [
      ['n1', 'NodeService.GetHealth'],
      ['n1', 'MachineService.Reboot'],
      ['n1', 'EtcdService.SnapshotEtcd'],
    ],
  );
});

test('a caller’s name cannot write to the terminal', async () => {
  await using fleet = await fleetWithLog();
  logOf(fleet).record('X.Y', '\u001b[2Jmallory\nforged');
  const { stdout } = await fleet.plinth('audit', 'log');
  assert.equal(stdout.includes('\u001b'), false);
  assert.equal(stdout.trim().split('\n').length, 4);
});

test('verify remembers the head: a cut at the end and a log written anew are found, and not forgotten', async () => {
  await using fleet = await fleetWithLog();
  assert.equal((await fleet.plinth('audit', 'verify')).exitCode, 0);
  const log = logOf(fleet);
  log.record('NodeService.GetSlots', 'bob');
  assert.equal((await fleet.plinth('audit', 'verify', '--since-checkpoint')).exitCode, 0);
  const whole = log.lines;
  log.lines = whole.slice(0, 2);
  for (const options of [[], ['--since-checkpoint'], []]) {
    const cut = await fleet.plinth('audit', 'verify', ...options);
    assert.equal(cut.exitCode, 3, cut.stdout);
    assert.match(cut.stdout, /the end was cut/);
  }
  log.lines = [];
  for (let count = 0; count < 6; count++) log.record('NodeService.GetSlots', 'mallory');
  assert.match((await fleet.plinth('audit', 'verify')).stdout, /written anew/);
  log.lines = whole;
  assert.equal((await fleet.plinth('audit', 'verify')).exitCode, 0);
});

test('an export is verified without the node, and an edit in it is found', async () => {
  await using fleet = await fleetWithLog();
  const path = join(fleet.folder, 'log.jsonl');
  assert.equal((await fleet.plinth('audit', 'export', path)).exitCode, 0);
  const again = await fleet.plinth('audit', 'export', path);
  assert.equal(again.exitCode, 2);
  assert.match(again.stderr, /log\.jsonl exists, expected a new file/);
  assert.equal((await fleet.plinth('audit', 'verify', '--file', path)).exitCode, 0);
  const edited = logOf(fleet).lines.map((line) => line.replace('Reboot', 'Status'));
  await writeFile(path, `${edited.join('\n')}\n`);
  const verdict = await fleet.plinth('audit', 'verify', '--file', path);
  assert.equal(verdict.exitCode, 3);
  assert.match(verdict.stdout, /line 2 is not what line 3 was written after/);
});
