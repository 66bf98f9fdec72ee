import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, beforeEach, suite, test } from 'node:test';
import { makeAuthority, serveWorld, World } from '@plinth/agent/testing';
import { parseConfig } from '@plinth/config';
import { eventually } from '@plinth/host/testing';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';

const authority = makeAuthority();
after(() => authority[Symbol.dispose]());

/** A config with one card; text as a person writes it. */
function configText(address: string, extra = ''): string {
  const pem = authority.certificatePem.trim().split('\n').join('\n    ');
  return `apiVersion: plinth.dev/v1alpha1
kind: Machine
name: node-1
---
apiVersion: plinth.dev/v1alpha1
kind: ApiAccess
clientAuthorities:
  - |
    ${pem}
---
apiVersion: plinth.dev/v1alpha1
kind: Network
interfaces:
  - mac: 52:54:00:0a:05:0b
    addresses: [${address}]
${extra}`;
}

/** Command lines against the node's own service and transaction, on a machine of tests, over gRPC and TLS. */
suite('the machine config, by commands', () => {
  let fleet: FakeFleet;
  let world: World;
  let stop: AbortController;

  beforeEach(async () => {
    world = new World();
    const bytes = Buffer.from(configText('10.0.1.1/24'));
    const parsed = parseConfig(bytes, 'test');
    assert.ok(parsed.ok);
    world.given = { ok: true, source: 'fw_cfg', config: parsed.value, bytes };
    const { plinthd, routes } = await serveWorld(world);
    stop = new AbortController();
    void plinthd.transaction.run(stop.signal);
    fleet = await fakeFleet({ name: 'n1', more: [routes] });
  });
  afterEach(async () => {
    stop.abort();
    await fleet[Symbol.asyncDispose]();
  });

  const file = async (text: string) => {
    const path = join(fleet.folder, 'node.yaml');
    await writeFile(path, text);
    return path;
  };
  const ok = async (...argv: string[]) => {
    const { exitCode, stdout, stderr } = await fleet.plinth(...argv);
    assert.equal(exitCode, 0, `${argv.join(' ')}: ${stderr}`);
    return { stdout, stderr };
  };

  test('plan shows each change with its effect, and what it comes to', async () => {
    const path = await file(configText('10.0.1.1/24, 10.0.2.1/24', '    mtu: 9000\n'));
    const { stdout } = await ok('plan', path);
    assert.match(stdout, /~ network\.interfaces\[52:54:00:0a:05:0b\]\.addresses {2}reloads systemd-networkd/);
    assert.match(stdout, / {4} {2}10\.0\.1\.1\/24\n {4}\+ 10\.0\.2\.1\/24\n/);
    assert.match(stdout, /\+ network\.interfaces\[52:54:00:0a:05:0b\]\.mtu .*\n {4}\+ 9000\n/);
    assert.match(stdout, /files\n {2}~ \/etc\/systemd\/network\/\S+\n/);
    assert.match(stdout, /Plan: 1 to add, 1 to change, 0 to remove; reloads systemd-networkd\.\n/);
    assert.match(stdout, /on trial: the node goes back unless it is confirmed/);
    assert.ok(stdout.split('\n').every((line) => line.length <= 100));
    assert.equal((await fleet.plinth('plan', path, '--exit-code')).exitCode, 3);
    const { plan } = JSON.parse((await ok('plan', path, '-o', 'json')).stdout);
    assert.deepEqual(
      [plan.defaultMode, plan.changes[0].effect.kind, plan.files[0].action],
      [...['try', 'reload', 'write']],
    );
  });

  test('plan of a wrong config shows its place and asks no node', async () => {
    const path = await file(configText('10.0.1.1/24').replace('addresses', 'adresses'));
    const { exitCode, stderr } = await fleet.plinth('plan', path, '--context', 'n1');
    assert.equal(exitCode, 2);
    assert.match(stderr, /config\/invalid/);
    assert.match(stderr, /node\.yaml:\d+:5/);
    assert.match(stderr, /did you mean "addresses"/);
  });

  test('apply of a network change confirms itself over a new connection', async () => {
    const path = await file(configText('10.0.2.1/24'));
    const { stdout, stderr } = await ok('apply', path, '--yes', '--reason', 'another network');
    assert.match(stderr, /Plan: 0 to add, 1 to change, 0 to remove/);
    assert.match(stdout, /Revision 2 is in effect: confirmed over a new connection\./);
    const history = (await ok('config', 'history')).stdout;
    assert.match(history, /2 \* +good .* alice +another network/);
    assert.match(history, /drift {6}none/);
    assert.match((await ok('apply', path)).stdout, /Nothing differs: revision 2 is in effect\./);
    assert.equal((await ok('config', 'show')).stdout, await readFile(path, 'utf8'));
    assert.equal((await ok('config', 'show', '1')).stdout, configText('10.0.1.1/24'));
    assert.match((await ok('config', 'diff', '1')).stdout, /- 10\.0\.1\.1\/24\n {4}\+ 10\.0\.2\.1\/24/);
    assert.match((await ok('config', 'rollback', '--yes')).stdout, /Revision 3 is in effect/);
    assert.equal((await ok('config', 'show')).stdout, configText('10.0.1.1/24'));
  });

  test('without a terminal and without --yes a node keeps its config, whatever the way to another', async () => {
    const path = await file(configText('10.0.2.1/24'));
    const refused = async (question: RegExp, ...argv: string[]) => {
      const { exitCode, stdout, stderr } = await fleet.plinth(...argv);
      assert.deepEqual([exitCode, stdout], [2, '']);
      assert.match(stderr, question);
      assert.match(stderr, /\n {2}hint: .*--yes/);
    };
    await refused(/cannot ask "Apply it, on trial\?"/, 'apply', path);
    await refused(/cannot ask "Go back to the config before revision 1\?"/, 'config', 'rollback');
    await ok('apply', path, '--yes', '--no-confirm');
    await refused(/cannot ask "Take revision 2 back, which is on trial\?"/, 'config', 'rollback');
    await ok('config', 'confirm');
    await refused(/cannot ask "Apply it, on trial\?"/, 'config', 'rollback', '1');
    await ok('apply', await file(configText('10.0.3.1/24')), '--yes', '--mode', 'staged');
    await refused(/cannot ask "Drop revision 3, which is staged\?"/, 'config', 'rollback');
    assert.match((await ok('config', 'history')).stdout, /staged {5}revision 3/);
  });

  test('without its confirmation a trial waits for a person, and goes back when nobody comes', async () => {
    const path = await file(configText('10.0.2.1/24'));
    const { stdout } = await ok('apply', path, '--yes', '--no-confirm', '--confirm-within', '30s');
    assert.match(stdout, /Revision 2 is on trial; the node goes back in 30 s\./);
    const busy = await fleet.plinth('apply', await file(configText('10.0.3.1/24')), '--yes');
    assert.match(busy.stderr, /config\/busy.*revision 2 is in effect and has to be confirmed/);
    assert.match((await ok('config', 'history')).stdout, /back to revision 1 in .* unless confirmed/);
    assert.match((await ok('config', 'confirm', '2')).stdout, /Revision 2 stays\./);
    await ok('apply', await file(configText('10.0.3.1/24')), '--yes', '--no-confirm');
    world.upMs += 120_000;
    await eventually(async () =>
      assert.match((await ok('config', 'history')).stdout, /3 +reverted .* was not confirmed in time/),
    );
    const late = await fleet.plinth('config', 'confirm', '3');
    assert.match(late.stderr, /config\/not-in-trial/);
  });

  test('a config that cannot be brought about is taken back, and apply says why', async () => {
    world.reloadFails = true;
    const applied = fleet.plinth('apply', await file(configText('10.0.2.1/24')), '--yes');
    const { exitCode, stderr } = await applied;
    assert.equal(exitCode, 1);
    assert.match(stderr, /config\/reverted.*could not be brought about: networkctl reload ended with 1/s);
  });

  test('a staged config says so, and rollback drops it', async () => {
    const { stdout } = await ok('apply', await file(configText('10.0.2.1/24')), '--yes', '--mode', 'staged');
    assert.match(stdout, /Revision 2 is staged; it takes effect at the next boot\./);
    assert.match((await ok('config', 'history')).stdout, /staged {5}revision 2, for the next boot/);
    assert.match(
      (await ok('config', 'rollback', '--yes')).stdout,
      /Revision 2 is taken back; revision 1 is in effect/,
    );
  });

  test('drift is named', async () => {
    const [path] = world.files.keys();
    world.files.set(path ?? '', { mode: 0o644, text: 'changed' });
    const { stdout } = await ok('config', 'history');
    assert.match(stdout, new RegExp(`drift +${path} was changed`));
  });

  test('wrong words are refused before a node is asked', async () => {
    for (const argv of [
      ['apply', 'x', '--confirm-within', '5s'],
      ['apply', 'x', '--mode', 'now'],
      ['config', 'show', 'x'],
    ]) {
      assert.equal((await fleet.plinth(...argv)).exitCode, 2, argv.join(' '));
    }
  });
});
