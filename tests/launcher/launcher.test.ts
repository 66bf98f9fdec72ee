import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratchFolder } from '@plinth/host/testing';

const repository = fileURLToPath(new URL('../..', import.meta.url));

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A checkout without node_modules, and a stand-in for the registry's client: its `npm ci` takes a moment, notes that it
 * ran, and leaves Node where npm would leave it.
 */
async function checkout(npmBody?: string): Promise<{ home: string; path: string }> {
  const home = await scratchFolder('launcher');
  const tools = join(home, 'tools');
  await mkdir(join(home, 'packages/cli/src'), { recursive: true });
  await mkdir(tools);
  await copyFile(join(repository, 'plinth'), join(home, 'plinth'));
  await copyFile(join(repository, 'package-lock.json'), join(home, 'package-lock.json'));
  await writeFile(
    join(home, 'packages/cli/src/main.ts'),
    'console.log(JSON.stringify(process.argv.slice(2)));\n',
  );
  const body =
    npmBody ?? `sleep 0.3; mkdir -p node_modules/.bin; ln -sf '${process.execPath}' node_modules/.bin/node`;
  await writeFile(join(tools, 'npm'), `#!/bin/sh\nset -e\necho "$*" >> npm.log\n${body}\n`);
  await chmod(join(tools, 'npm'), 0o755);
  await symlink(process.execPath, join(tools, 'node'));
  return { home, path: `${tools}:/usr/bin:/bin` };
}

function start(program: string, args: readonly string[], path: string): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, { env: { PATH: path } }, (error, stdout, stderr) => {
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

test('plinth fetches once, then starts without npm, and hands arguments over untouched', async () => {
  const { home, path } = await checkout();
  const args = ['a b', '', '--x=*', "it's"];
  const first = await start(join(home, 'plinth'), args, path);
  assert.deepEqual(JSON.parse(first.stdout), args);
  assert.match(first.stderr, /fetching Node and libraries, once/);
  const second = await start(join(home, 'plinth'), ['up'], path);
  assert.deepEqual([second.stdout, second.stderr], ['["up"]\n', '']);
  assert.equal(
    await readFile(join(home, 'npm.log'), 'utf8'),
    'ci --ignore-scripts --loglevel=error --no-progress\n',
  );
});

test('plinth started twice at once fetches once', async () => {
  const { home, path } = await checkout();
  const both = await Promise.all([1, 2].map(() => start(join(home, 'plinth'), ['up'], path)));
  assert.deepEqual(
    both.map(({ stdout }) => stdout),
    ['["up"]\n', '["up"]\n'],
  );
  assert.equal((await readFile(join(home, 'npm.log'), 'utf8')).trim().split('\n').length, 1);
});

test('plinth fetches again when the lock file changed', async () => {
  const { home, path } = await checkout();
  await start(join(home, 'plinth'), [], path);
  await writeFile(join(home, 'package-lock.json'), '{}\n');
  await start(join(home, 'plinth'), [], path);
  assert.equal((await readFile(join(home, 'npm.log'), 'utf8')).trim().split('\n').length, 2);
});

test('plinth finds its folder through symbolic links and odd names', async () => {
  const { home, path } = await checkout();
  const odd = join(home, "o'dd dir");
  await mkdir(odd);
  for (const name of ['plinth', 'package-lock.json', 'packages']) {
    await cp(join(home, name), join(odd, name), { recursive: true });
  }
  await symlink(join(odd, 'plinth'), join(home, 'link-1'));
  await symlink('link-1', join(home, 'link-2'));
  assert.equal((await start(join(home, 'link-2'), ['x'], path)).stdout, '["x"]\n');
});

test('plinth says how to get Node and npm when they are missing', async () => {
  const { home } = await checkout();
  const bare = join(home, 'bare');
  await mkdir(bare);
  for (const name of ['sh', 'readlink', 'cmp', 'uname', 'id', 'flock', 'printf', 'rm']) {
    await symlink(`/usr/bin/${name}`, join(bare, name));
  }
  const { exitCode, stderr } = await start(join(home, 'plinth'), ['up'], bare);
  assert.equal(exitCode, 1);
  assert.match(stderr, /needs Node\.js 18 or newer and npm once/);
  assert.match(stderr, /apt-get install --no-install-recommends nodejs npm\n$/);
});

test('plinth refuses a Node that is too old to run npm', async () => {
  const { home, path } = await checkout();
  const old = join(home, 'old');
  await mkdir(old);
  await writeFile(join(old, 'node'), '#!/bin/sh\necho 16\n');
  await chmod(join(old, 'node'), 0o755);
  const { exitCode, stderr } = await start(join(home, 'plinth'), ['up'], `${old}:${path}`);
  assert.equal(exitCode, 1);
  assert.match(stderr, /needs Node\.js 18 or newer once, to fetch its own Node: found 16/);
});

test('plinth shows why fetching failed, and fetches anew next time', async () => {
  const { home, path } = await checkout('echo "npm error network getaddrinfo EAI_AGAIN" >&2; exit 1');
  const { exitCode, stderr } = await start(join(home, 'plinth'), ['up'], path);
  assert.equal(exitCode, 1);
  assert.match(stderr, /EAI_AGAIN\nplinth: cannot fetch Node and libraries/);
  await start(join(home, 'plinth'), ['up'], path);
  assert.equal((await readFile(join(home, 'npm.log'), 'utf8')).trim().split('\n').length, 2);
});
