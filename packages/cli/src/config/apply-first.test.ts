import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, suite, test } from 'node:test';
import {
  auditFolder,
  makeAuthority,
  openFolder,
  type StartedAgent,
  soundNode,
  startAgent,
} from '@plinth/agent/testing';
import { removeTree } from '@plinth/host';
import { runCli } from '../run-cli.ts';

/** One port for maintenance and for the API after it, as on a node. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}

const authority = makeAuthority();
after(() => authority[Symbol.dispose]());

/** Command lines against plinthd itself, which has no config; what is faked is the machine below it. */
suite('the first config of a node, by commands', () => {
  let folder: string;
  let agent: StartedAgent;
  let endpoint: string;
  let fingerprint: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-first-'));
    agent = startAgent(soundNode(), {
      store: await openFolder(join(folder, 'state')),
      auditFiles: auditFolder(join(folder, 'audit')),
      port: await freePort(),
    });
    const ready = await agent.line(/^maintenance ready port=(\d+) fingerprint=(\S+)$/);
    [endpoint, fingerprint] = [`127.0.0.1:${ready[1]}`, ready[2] ?? ''];
    file = join(folder, 'node.yaml');
    const pem = authority.certificatePem.trim().split('\n').join('\n    ');
    await writeFile(
      file,
      `apiVersion: plinth.dev/v1alpha1\nkind: Machine\nname: node-7\n---\napiVersion: plinth.dev/v1alpha1\nkind: ApiAccess\nclientAuthorities:\n  - |\n    ${pem}\n`,
    );
  });
  afterEach(async () => {
    agent.stop();
    await agent.ended;
    await removeTree(folder);
  });

  /** @param answer what a person at a terminal says; absent: there is none */
  const plinth = async (argv: readonly string[], answer?: string) => {
    const [out, err, asked]: [string[], string[], string[]] = [[], [], []];
    const collect = (into: string[]) => ({
      write: (text: string | Uint8Array) => into.push(text.toString()),
    });
    const surroundings = {
      ...{
        stdout: collect(out),
        stderr: collect(err),
        env: { HOME: folder, PLINTHCONFIG: join(folder, 'c') },
      },
      ...(answer !== undefined && {
        ask: async (question: string) => {
          asked.push(question);
          return answer;
        },
      }),
    };
    const exitCode = await runCli(argv, surroundings, new AbortController().signal);
    return { exitCode, stdout: out.join(''), stderr: err.join(''), asked };
  };
  const first = (...more: string[]) => ['apply', file, '--insecure', '--endpoint', endpoint, ...more];

  test('with the fingerprint of the console it is applied, and what comes next is said', async () => {
    const { exitCode, stdout, stderr } = await plinth(
      first('--fingerprint', fingerprint, '--yes', '--reason', 'new rack'),
    );
    assert.equal(exitCode, 0, stderr);
    assert.match(
      stdout,
      /node-7 has its config: revision 1; from now on it answers only to whom ApiAccess names/,
    );
    assert.ok(
      stdout.includes(`plinth config add node-7 --endpoint ${endpoint} --fingerprint ${fingerprint}`),
    );
    assert.ok(agent.lines.some((line) => /gave the config of node node-7/.test(line)));
    const again = await plinth(first('--fingerprint', fingerprint, '--yes'));
    assert.equal(again.exitCode, 4);
    assert.match(again.stderr, /config\/already-given.*it has one, expected a node in maintenance/);
  });

  test('without it the fingerprint is shown and compared by a person, and --yes does not stand for that', async () => {
    const none = await plinth(first('--yes'));
    assert.equal(none.exitCode, 2);
    assert.match(none.stderr, /cannot have the fingerprint compared without a terminal/);
    assert.match(none.stderr, /hint: Add --fingerprint with what the console of the node shows/);
    const no = await plinth(first('--yes'), 'n');
    assert.match(no.stderr, new RegExp(fingerprint));
    assert.match(no.stderr, /api\/identity-mismatch/);
    assert.match(no.asked.join(), /Does the console of the node show the same\?/);
    assert.equal(agent.audit.length, 0);
  });

  test('somebody else at that address gets nothing', async () => {
    const other = `sha256:${'ab'.repeat(32)}`;
    const { stderr } = await plinth(first('--fingerprint', other, '--yes'));
    assert.match(stderr, /api\/identity-mismatch/);
    assert.equal(agent.audit.length, 0);
  });

  test('without a terminal and --yes nothing is changed, and the plan is shown', async () => {
    const { exitCode, stderr } = await plinth(first('--fingerprint', fingerprint));
    assert.equal(exitCode, 2);
    assert.match(stderr, /\+ machine\.name/);
    assert.match(stderr, /cannot ask "Make 127\.0\.0\.1 \(.*\) the node node-7\?/);
    assert.deepEqual(
      agent.audit.filter(({ method }) => method.endsWith('ApplyFirstConfig')),
      [],
    );
  });

  test('words that do not fit are refused before anything is dialled', async () => {
    for (const argv of [
      ['apply', file, '--insecure'],
      ['apply', file, '--endpoint', endpoint],
      first('--fingerprint', 'abc'),
      first('--mode', 'auto'),
      ['apply', file, '--insecure', '--endpoint', 'a b'],
    ])
      assert.equal((await plinth(argv)).exitCode, 2, argv.join(' '));
    assert.equal(agent.audit.length, 0);
  });
});
