import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  BootstrapContainerState,
  BootstrapContainersService,
  SessionLevel,
  SessionService,
  type StartViewSessionRequest,
} from '@plinth/api';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';

const RECORDING = Buffer.from('{"version":2}\n[0.1,"o","$ "]\n');
const SHA256 = createHash('sha256').update(RECORDING).digest('hex');
const DIGEST = `sha256:${'ab'.repeat(32)}`;
const started = { seconds: 1_795_000_000n, nanos: 0 };

const ENDED = {
  ...{
    id: 'aaaa0001',
    level: SessionLevel.FULL,
    reason: 'an older one',
    openedBy: 'bob',
    startedAt: started,
  },
  ...{ ttl: { seconds: 600n }, duration: { seconds: 61n }, open: false, endedBecause: 'its time was up' },
  ...{ recordingBytes: BigInt(RECORDING.length), recordingSha256: SHA256 },
};
const OPEN = {
  ...{ id: 'bbbb0002', level: SessionLevel.VIEW, reason: 'a look', openedBy: 'ada', startedAt: started },
  ...{ ttl: { seconds: 1800n }, duration: { seconds: 5n }, open: true, attached: true },
};

/** What the methods of sessions are asked. */
type Asked = Partial<StartViewSessionRequest> & { readonly sessionId?: string };

suite('plinth session', () => {
  let fleet: FakeFleet;
  let asked: { method: string; request: Omit<Asked, '$typeName'> }[] = [];
  let sha256 = SHA256;
  let refuses = false;

  before(async () => {
    const start = (method: string) => (request: Omit<Asked, '$typeName'>) => {
      asked.push({ method, request });
      if (refuses) throw new ConnectError('no', Code.FailedPrecondition);
      return { session: OPEN };
    };
    fleet = await fakeFleet(
      {
        name: 'n1',
        more: [
          (router) =>
            router.service(SessionService, {
              listSessions: () => ({
                sessions: [OPEN, { ...ENDED, recordingSha256: sha256 }],
                allowedLevels: [SessionLevel.VIEW, SessionLevel.FULL],
              }),
              startViewSession: start('view'),
              startFullSession: start('full'),
              endSession: (request) => {
                asked.push({ method: 'end', request: { sessionId: request.sessionId } });
                return {
                  session: { ...OPEN, open: false, endedBecause: 'ada ended it', recordingSha256: SHA256 },
                };
              },
              async *readSessionRecording({ sessionId }) {
                if (sessionId !== ENDED.id) throw new ConnectError('no', Code.NotFound);
                yield { chunk: RECORDING.subarray(0, 5) };
                yield { chunk: RECORDING.subarray(5) };
                yield { last: true };
              },
            }),
          (router) =>
            router.service(BootstrapContainersService, {
              listBootstrapContainers: () => ({
                containers: [
                  {
                    ...{ name: 'disk', image: `r.example/a@${DIGEST}`, essential: true, run: 'on-change' },
                    ...{
                      state: BootstrapContainerState.FAILED,
                      exitCode: 7,
                      reason: 'it ended with exit code 7',
                    },
                    ...{
                      startedAt: started,
                      duration: { seconds: 3n },
                      output: 'first\nno such \u001b[31mdisk\n',
                    },
                  },
                  { name: 'later', run: 'once', state: BootstrapContainerState.WAITING, due: true },
                ],
              }),
            }),
        ],
      },
      'n0',
    );
  });
  beforeEach(() => {
    [asked, sha256, refuses] = [[], SHA256, false];
  });
  after(async () => {
    await fleet[Symbol.asyncDispose]();
  });

  test('a session is opened with a reason, a level and an end', async () => {
    const { exitCode, stdout, stderr } = await fleet.plinth(
      ...['session', 'start', '--reason', 'a look', '--detach'],
    );
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /Session\s+bbbb0002\n/);
    const full = [
      'session',
      'start',
      '--level',
      'full',
      '--ttl',
      '10m',
      '--reason',
      'x',
      '--detach',
      '-o',
      'json',
    ];
    const printed = await fleet.plinth(...full);
    assert.equal(JSON.parse(printed.stdout).id, 'bbbb0002');
    assert.deepEqual(
      asked.map(({ method, request }) => [method, request.reason, request.ttl?.seconds]),
      [
        ['view', 'a look', 1800n],
        ['full', 'x', 600n],
      ],
    );
  });

  test('without a reason, without a terminal, or beyond the limits nothing is asked of the node', async () => {
    for (const args of [
      ['--detach'],
      ['--reason', ' ', '--detach'],
      ['--reason', 'x'],
      ['--reason', 'x', '--ttl', '9h'],
    ])
      assert.equal((await fleet.plinth('session', 'start', ...args)).exitCode, 2, args.join(' '));
    assert.equal((await fleet.plinth('session', 'attach')).exitCode, 2);
    assert.deepEqual(asked, []);
  });

  test('a refusal of the node is an error', async () => {
    refuses = true;
    const { exitCode, stdout } = await fleet.plinth('session', 'start', '--reason', 'x', '--detach');
    assert.notEqual(exitCode, 0);
    assert.equal(stdout, '');
  });

  test('sessions are listed, narrow enough for a terminal', async () => {
    const { stdout } = await fleet.plinth('session', 'list');
    assert.match(stdout, /bbbb0002\s+view\s+attached\s+ada\s/);
    assert.match(stdout, /aaaa0001\s+full\s+ended\s+bob\s/);
    assert.match(stdout, /allows sessions of level view and full/);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 100, line);
    const wide = await fleet.plinth('session', 'list', '-o', 'wide');
    assert.match(wide.stdout, new RegExp(`its time was up.*${SHA256}`));
  });

  test('the open session is ended, or one by its id', async () => {
    assert.match((await fleet.plinth('session', 'end')).stdout, /Ended\s+ada ended it/);
    await fleet.plinth('session', 'end', 'cccc');
    assert.deepEqual(
      asked.map(({ request }) => request.sessionId),
      ['bbbb0002', 'cccc'],
    );
  });

  test('another node is reached by its name, one at a time', async () => {
    const there = ['--context', 'n0', '--node', 'n1'];
    const { stdout, stderr } = await fleet.plinth('session', 'start', '--reason', 'x', '--detach', ...there);
    assert.match(stdout, /Session\s+bbbb0002\n/, stderr);
    assert.equal((await fleet.plinth('session', 'end', ...there)).exitCode, 0);
    assert.deepEqual(
      asked.map(({ method }) => method),
      ['view', 'end'],
    );
    assert.equal((await fleet.plinth('session', 'end', '--node', 'n0,n1')).exitCode, 2);
    assert.notEqual((await fleet.plinth('session', 'end', '--context', 'n0', '--node', 'none')).exitCode, 0);
  });

  test('a recording comes whole or not at all', async () => {
    const target = join(fleet.folder, 'a.cast');
    const { exitCode, stderr } = await fleet.plinth('session', 'recording', ENDED.id, '-w', target);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(await readFile(target), RECORDING);
    assert.equal((await fleet.plinth('session', 'recording', ENDED.id)).stdout, RECORDING.toString());
    sha256 = '00'.repeat(32);
    const other = join(fleet.folder, 'b.cast');
    assert.equal((await fleet.plinth('session', 'recording', ENDED.id, '-w', other)).exitCode === 0, false);
    await assert.rejects(readFile(other), { code: 'ENOENT' });
  });

  test('bootstrap containers are shown with what a failed one wrote', async () => {
    const { stdout } = await fleet.plinth('get', 'bootstrap-containers');
    assert.match(stdout, /disk\s+failed\s+7\s+3\S* s?\s*yes\s+on-change/);
    assert.match(stdout, /later\s+waiting/);
    assert.match(stdout, /disk wrote last:\n\s+first\n\s+no such/);
    assert.ok(!stdout.includes('\u001b'));
    for (const line of stdout.split('\n')) assert.ok(line.length <= 100, line);
    const json = JSON.parse((await fleet.plinth('get', 'bootstrap-containers', '-o', 'json')).stdout);
    assert.equal(json.containers[0].exitCode, 7);
  });
});
