import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { exitCodes } from '@plinth/base';
import { allKinds } from '@plinth/config';
import { runCli } from '../run-cli.ts';

const dir = await mkdtemp(join(tmpdir(), 'plinth-config-'));
after(() => rm(dir, { recursive: true }));
const good = join(dir, 'good.yaml');
const bad = join(dir, 'bad.yaml');
const text = allKinds.map(({ example }) => example).join('---\n');
await writeFile(good, text);
await writeFile(bad, text.replace('clientAuthorities', 'clientAuthorites').replace('id: 20', 'id: 5000'));

async function plinth(...argv: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const world = {
    stdout: { write: (part: string) => out.push(part) },
    stderr: { write: (part: string) => err.push(part) },
    env: {},
  };
  const exitCode = await runCli(argv, world, new AbortController().signal);
  return { exitCode, stdout: out.join(''), stderr: err.join('') };
}

test('config validate names the node and the kinds of a good config', async () => {
  const { exitCode, stdout } = await plinth('config', 'validate', good, '-o', 'json');
  assert.equal(exitCode, exitCodes.ok);
  assert.deepEqual(JSON.parse(stdout), [
    { file: good, node: 'node-1', kinds: allKinds.map(({ kind }) => kind) },
  ]);
});

test('config validate tells every problem of every file with its place, and what was meant', async () => {
  const { exitCode, stdout, stderr } = await plinth('config', 'validate', good, bad);
  assert.equal(exitCode, exitCodes.usage);
  assert.equal(stdout, '');
  assert.match(stderr, /unknown key "clientAuthorites"/);
  assert.match(stderr, /bad\.yaml:7:1/);
  assert.match(stderr, /no "clientAuthorities", expected a list/);
  assert.match(stderr, /did you mean "clientAuthorities"/);
  assert.match(stderr, /network\.vlans\[0\]\.id/);
  assert.match(stderr, /1 of 2 configs/);
});

test('config validate reads user data of other systems as a node does', async () => {
  const path = join(dir, 'user-data');
  const carried = Buffer.from(text).toString('base64');
  const files = `write_files: [{path: /etc/plinth/machine-config.yaml, encoding: b64, content: "${carried}"}]`;
  await writeFile(path, `#cloud-config\n${files}\n`);
  assert.match((await plinth('config', 'validate', path)).stdout, /node-1 .*ApiAccess/);
  await writeFile(path, `#cloud-config\npassword: hunter2\n${files}\n`);
  const refused = await plinth('config', 'validate', path);
  assert.equal(refused.exitCode, exitCodes.usage);
  assert.match(refused.stderr, /user-data:2:1 \(\$\.password\)[\s\S]*plinth access issue/);
  assert.doesNotMatch(refused.stderr, /hunter2/);
});

test('config validate refuses what is no file, and no file at all', async () => {
  assert.match(
    (await plinth('config', 'validate', join(dir, 'none'))).stderr,
    /host\/io|ENOENT|no such file/i,
  );
  assert.equal((await plinth('config', 'validate')).exitCode, exitCodes.usage);
  await writeFile(join(dir, 'large'), 'a: b\n'.repeat(400_000));
  assert.match((await plinth('config', 'validate', join(dir, 'large'))).stderr, /config\/too-large/);
});

test('config render shows the files, and of those with secrets only the path', async () => {
  const { stdout } = await plinth('config', 'render', good);
  assert.match(stdout, /^# \/etc\/hosts 0644\n127\.0\.0\.1 localhost\n/m);
  assert.match(stdout, /^# \/etc\/systemd\/network\/20-plinth-bond0\.netdev 0644\n\[NetDev\]/m);
  const files: { path: string; secret: boolean; text?: string }[] = JSON.parse(
    (await plinth('config', 'render', good, '-o', 'json')).stdout,
  );
  for (const file of files) assert.equal(file.text === undefined, file.secret, file.path);
  const names = (await plinth('config', 'render', good, '-o', 'name')).stdout.trim().split('\n');
  assert.deepEqual(names, files.map(({ path }) => path).sort());
});

test('config explain knows kinds, fields and what was meant', async () => {
  assert.match((await plinth('config', 'explain')).stdout, /^Network +at most one +Cards/m);
  assert.match((await plinth('config', 'explain', 'Network')).stdout, /network\.bonds\[\]\.mode +one of/);
  const field = (await plinth('config', 'explain', 'network.vlans[0].id')).stdout;
  assert.match(field, /whole number, 1 to 4094/);
  assert.match(field, /a change takes effect +at the next boot/);
  const wrong = await plinth('config', 'explain', 'network.vlan');
  assert.equal(wrong.exitCode, exitCodes.usage);
  assert.match(wrong.stderr, /Did you mean network\.vlans\?/);
});

test('config schema prints a schema of every kind, config migrate a config that validates', async () => {
  const schema: { anyOf: { title: string }[] } = JSON.parse((await plinth('config', 'schema')).stdout);
  assert.deepEqual(
    schema.anyOf.map(({ title }) => title),
    allKinds.map(({ kind }) => kind),
  );
  const migrated = (await plinth('config', 'migrate', good)).stdout;
  const path = join(dir, 'migrated.yaml');
  await writeFile(path, migrated);
  assert.equal((await plinth('config', 'migrate', path)).stdout, migrated);
  assert.equal((await plinth('config', 'validate', path)).exitCode, exitCodes.ok);
});
