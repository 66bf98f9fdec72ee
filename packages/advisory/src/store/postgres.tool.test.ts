import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { eventually, scratchFolder } from '@plinth/host/testing';
import { freePort } from '@plinth/publish/testing';
import { openToolbox } from '@plinth/toolbox';
import pg from 'pg';
import { openAdvisoryStore } from './open-store.ts';
import { storeContract } from './store-contract.testing.ts';

// The store in PostgreSQL of Debian, which listens on loopback and ends with these tests.

const NOBODY = 65_534;
const PROGRAMS = '/usr/lib/postgresql/17/bin';
const PASSWORD = 'not-a-secret-of-anyone';

const folder = await scratchFolder('postgres');
const tools = await openToolbox({ name: 'servers' });
/** PostgreSQL refuses to run as root, and in a user namespace there is nobody else. */
const skip =
  tools.isolation === 'root'
    ? false
    : 'PostgreSQL needs another user than root, and this machine gives no root';

suite('a store in PostgreSQL', { skip }, () => {
  let root = '';
  let server: ChildProcess;
  before(async () => {
    const port = await freePort();
    server = await startServer(port);
    root = `postgres://keeper@127.0.0.1:${port}`;
    process.env['PGPASSWORD'] = PASSWORD;
  });
  after(() => end(server));
  let number = 0;
  const freshDatabase = async () => {
    const name = `advisories_${number++}`;
    const client = new pg.Client(`${root}/postgres`);
    await client.connect();
    await client.query(`CREATE DATABASE ${name}`);
    await client.end();
    return `${root}/${name}`;
  };

  storeContract(freshDatabase);

  test('tables of another version are refused, with the address but no user and no password', async () => {
    const address = await freshDatabase();
    await (await openAdvisoryStore(address)).close();
    const client = new pg.Client(address);
    await client.connect();
    await client.query("UPDATE marks SET value = 99 WHERE name = 'schema'");
    await client.end();
    await assert.rejects(openAdvisoryStore(address), (reason: Error) => {
      assert.match(
        reason.message,
        /postgres:\/\/127\.0\.0\.1:\d+\/advisories_\d+: its tables have version 99/,
      );
      assert.doesNotMatch(reason.message, /keeper|not-a-secret/);
      return true;
    });
  });

  test('a server that is not there, a database that is not there, a wrong password: one code', async () => {
    process.env['PGPASSWORD'] = 'wrong';
    await assert.rejects(openAdvisoryStore(`${root}/postgres`), { code: 'advisory/store-failed' });
    process.env['PGPASSWORD'] = PASSWORD;
    const nowhere = `postgres://keeper@127.0.0.1:${await freePort()}/x`;
    for (const address of [`${root}/absent`, nowhere])
      await assert.rejects(openAdvisoryStore(address), { code: 'advisory/store-failed' });
  });
});

async function startServer(port: number): Promise<ChildProcess> {
  const data = join(folder, 'data');
  await mkdir(data, { mode: 0o700 });
  await chown(data, NOBODY, NOBODY);
  const password = join(folder, 'password');
  await writeFile(password, PASSWORD, { mode: 0o600 });
  await chown(password, NOBODY, NOBODY);
  const binds = [
    { host: data, inside: '/tmp/data' },
    { host: password, inside: '/tmp/password', readOnly: true },
  ];
  const asNobody = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  await tools.run(
    '/usr/bin/setpriv',
    [
      ...asNobody,
      `${PROGRAMS}/initdb`,
      '--pgdata=/tmp/data',
      '--username=keeper',
      '--auth=scram-sha-256',
      '--pwfile=/tmp/password',
      '--locale=C',
      '--encoding=UTF8',
      '--no-sync',
    ],
    { binds },
  );
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'jit=off',
    'fsync=off',
  ];
  const { program, args, env } = tools.command(
    '/usr/bin/setpriv',
    [...asNobody, `${PROGRAMS}/postgres`, '-D', '/tmp/data', ...settings.flatMap((each) => ['-c', each])],
    { network: true, binds },
  );
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await eventually(() => log.includes('ready to accept connections'), {
    isHopeless: () => child.exitCode !== null,
  }).catch((cause: unknown) => {
    throw new Error(`PostgreSQL did not start: ${log.slice(-2000)}`, { cause });
  });
  return child;
}

/** By its own process id: whoever changes the user is no longer ended with the process that started it. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => {
    child.once('close', resolve);
  });
  const [pid] = (await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8')).split('\n');
  // Its "fast" shutdown: connections are ended too.
  process.kill(Number(pid), 'SIGINT');
  await ended;
}
