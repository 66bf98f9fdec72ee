import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import { SessionLevel } from '@plinth/api';
import type { OperationsSession } from '@plinth/config';
import { eventually } from '@plinth/host/testing';
import { capabilitiesOf } from '../containers/own/oci-spec.ts';
import { fifoPipes } from '../containers/testing/fifo-pipes.ts';
import {
  noContainers,
  type ShellContainerd,
  startShellContainerd,
} from '../containers/testing/shell-containerd.ts';
import { makeImageSigner } from '../containers/testing/sign-image.ts';
import type { ServedImage } from '../containers/testing/tiny-registry.ts';
import { memoryStore } from '../sys/state-store.ts';
import { attachTerminal } from './attach.ts';
import { openSessions, type Sessions } from './open-sessions.ts';
import type { Level } from './session-state.ts';

// A terminal in a real container, with the containerd and the crun of the system that was built last. Needs root.

const capabilities = capabilitiesOf(readFileSync('/proc/self/status', 'utf8'));

suite('operations sessions', { skip: noContainers }, () => {
  let os: ShellContainerd;
  let image = '';
  let allowed: OperationsSession | undefined;
  let audited: Record<string, unknown>[] = [];
  let store = memoryStore('a test');
  let folders = 0;
  /** What the registry has of signatures. */
  let signed: NonNullable<ServedImage['sign']> = () => [];
  let folder = '';

  before(async () => {
    os = await startShellContainerd(
      { Entrypoint: ['/bin/bash', '--norc'], Env: ['PATH=/bin', 'PS1=$ '] },
      (digest) => signed(digest),
    );
    image = os.image;
  });
  after(() => os?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    signed = () => [];
    allowed = { image, levels: ['view', 'full'], longest: '10m' };
    audited = [];
    store = memoryStore('a test');
    folder = join(os.folder, `sessions-${++folders}`);
    await mkdir(folder);
  });

  const open = (signal: AbortSignal, more: object = {}): Promise<Sessions> =>
    openSessions({
      ...{
        store,
        folder,
        signal,
        cri: os.cri,
        own: os.own,
        signatures: os.signatures,
        nowMs: Date.now,
        tickMs: 50,
      },
      console: { say: () => {} },
      facts: { viewGroups: [], capabilities },
      makePipes: fifoPipes,
      allowed: () => allowed,
      audit: async (record) => {
        audited.push({ ...record });
      },
      availableBytes: async () => 1024 ** 3,
      ...more,
    });
  const ask = (level: Level, ttlMs = 0) => ({
    ...{ level, ttlMs, reason: 'a test', openedBy: 'ada', terminal: { columns: 100, rows: 30 } },
  });

  /** A terminal that types and remembers what it was shown. */
  function terminal(sessions: Sessions, id: string, level: Level) {
    const typed: Uint8Array[] = [];
    let wake = () => {};
    const hangUp = new AbortController();
    const messages = async function* () {
      yield { sessionId: id, input: new Uint8Array(), terminal: { columns: 90, rows: 20 } };
      while (!hangUp.signal.aborted) {
        const next = typed.shift();
        if (next) yield { sessionId: '', input: next };
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    };
    const state = { shown: '', because: '' };
    const reading = (async () => {
      for await (const { output, endedBecause } of attachTerminal(
        sessions,
        level,
        messages(),
        hangUp.signal,
      )) {
        state.shown += Buffer.from(output).toString();
        state.because = endedBecause || state.because;
      }
    })();
    return {
      state,
      reading,
      type(text: string) {
        typed.push(Buffer.from(text));
        wake();
      },
      sees: (pattern: RegExp) => eventually(() => assert.match(state.shown, pattern)),
      async hangUp() {
        hangUp.abort();
        wake();
        await reading;
      },
    };
  }

  test('a person types, sees, leaves, comes back, and all of it is recorded', async () => {
    const end = new AbortController();
    const sessions = await open(end.signal);
    const { id } = await sessions.start(ask('view'));
    const first = terminal(sessions, id, 'view');
    await first.sees(/\$ $/);
    first.type('stty size; id -u; cat /host/etc/os-release\n');
    await first.sees(/20 90\r\n61000\r\n[^$]*^ID=plinth\r$/m);
    assert.equal(sessions.list()[0]?.attached, true);
    await assert.rejects(terminal(sessions, id, 'view').reading, { code: 'session/busy' });
    await assert.rejects(terminal(sessions, id, 'full').reading, { code: 'session/not-allowed' });
    await first.hangUp();
    await eventually(() => assert.equal(sessions.list()[0]?.attached, false));
    const second = terminal(sessions, id, 'view');
    await second.sees(/ID=plinth/);
    second.type('exit 3\n');
    await second.reading;
    assert.equal(second.state.because, 'its shell ended with exit code 3');
    const [record] = sessions.list();
    const recording = await readFile(sessions.recordingPath(id));
    assert.equal(record?.recordingSha256, createHash('sha256').update(recording).digest('hex'));
    const [header, ...events] = recording
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.partialDeepStrictEqual(header, { version: 2, width: 100, height: 30, title: 'view: a test' });
    const text = (kind: string) =>
      events
        .filter((each) => each[1] === kind)
        .map((each) => each[2])
        .join('');
    assert.equal(text('i'), 'stty size; id -u; cat /host/etc/os-release\nexit 3\n');
    assert.match(text('o'), /ID=plinth/);
    assert.match(text('r'), /^90x20/);
    assert.deepEqual(
      audited.map(({ event, session, caller, level, reason }) => [event, session, caller, level, reason]),
      [
        ['session.started', id, 'ada', 'view', 'a test'],
        ['session.ended', id, 'ada', 'view', 'a test'],
      ],
    );
    assert.equal(audited[1]?.['recordingSha256'], record?.recordingSha256);
    assert.deepEqual(await os.own.list('session'), []);
    end.abort();
    await sessions.closed;
  });

  test('it ends when its time is up, whatever it does', async () => {
    const end = new AbortController();
    const sessions = await open(end.signal);
    const { id } = await sessions.start(ask('full', 1_500));
    const person = terminal(sessions, id, 'full');
    await person.sees(/\$ $/);
    person.type('trap "" HUP TERM INT; while :; do sleep 1; done\n');
    await assert.rejects(sessions.start(ask('view')), { code: 'session/busy' });
    await person.reading;
    assert.equal(person.state.because, 'its time was up');
    assert.deepEqual(await os.own.list('session'), []);
    await assert.rejects(terminal(sessions, id, 'full').reading, { code: 'session/ended' });
    end.abort();
  });

  test('it ends when somebody ends it, and when the config allows it no longer', async () => {
    const end = new AbortController();
    const sessions = await open(end.signal);
    const { id } = await sessions.start(ask('view'));
    assert.equal((await sessions.end(id, 'bob ended it')).endedBecause, 'bob ended it');
    await sessions.start(ask('view'));
    allowed = undefined;
    await eventually(() =>
      assert.equal(sessions.list()[0]?.endedBecause, 'the machine config allows it no longer'),
    );
    await assert.rejects(sessions.start(ask('view')), { code: 'session/not-allowed' });
    assert.deepEqual(await os.own.list('session'), []);
    end.abort();
  });

  test('it ends with plinthd; what a killed plinthd left is ended by the next', async () => {
    const end = new AbortController();
    const sessions = await open(end.signal);
    await sessions.start(ask('view'));
    end.abort();
    await sessions.closed;
    assert.equal(sessions.list()[0]?.endedBecause, 'plinthd ended');
    assert.deepEqual(await os.own.list('session'), []);

    const killed = new AbortController();
    const before = await open(killed.signal);
    const { id } = await before.start(ask('view'));
    // What a kill leaves: the stored record and the container.
    const left = await store.read('sessions.json');
    const again = new AbortController();
    const copy = memoryStore('a test');
    await copy.write('sessions.json', left ?? Buffer.from(''));
    const after = await open(again.signal, { store: copy });
    await eventually(async () => assert.deepEqual(await os.own.list('session'), []));
    await eventually(() =>
      assert.equal(
        after.list().find((each) => each.id === id)?.endedBecause,
        'plinthd or the node restarted',
      ),
    );
    await eventually(() => assert.notEqual(before.list()[0]?.endedBecause, ''));
    killed.abort();
    again.abort();
  });

  test('a recording that is full ends the session', async () => {
    const end = new AbortController();
    const sessions = await open(end.signal, { recordingLimitBytes: 20_000 });
    const { id } = await sessions.start(ask('view'));
    const person = terminal(sessions, id, 'view');
    await person.sees(/\$ $/);
    person.type('while :; do echo "a line that fills the recording"; done\n');
    await person.reading;
    assert.equal(person.state.because, 'its recording is full');
    assert.ok((sessions.list()[0]?.recordingBytes ?? 0) <= 20_000);
    end.abort();
  });

  test('a reader who stands still holds neither the recording of others nor the end', async () => {
    const end = new AbortController();
    const sessions = await open(end.signal);
    const { id } = await sessions.start(ask('view', 1_000));
    const still = attachTerminal(
      sessions,
      'view',
      (async function* () {
        yield { sessionId: id, input: Buffer.from('while :; do echo "more and more of it"; done\n') };
        await new Promise((resolve) => end.signal.addEventListener('abort', resolve));
      })(),
      end.signal,
    );
    await still.next();
    await still.next();
    await eventually(() => assert.equal(sessions.list()[0]?.endedBecause, 'its time was up'));
    assert.ok((sessions.list()[0]?.recordingBytes ?? 0) < 4 * 1024 * 1024);
    assert.deepEqual(await os.own.list('session'), []);
    end.abort();
    await still.return(undefined);
  });

  test('an image that cannot be had opens nothing', async () => {
    const end = new AbortController();
    const sessions = await open(end.signal);
    allowed = { image: image.replace(/.{8}$/, '00000000'), levels: ['view'], longest: '1m' };
    await assert.rejects(sessions.start(ask('view')), { code: 'containers/image-missing' });
    assert.deepEqual([sessions.list(), audited], [[], []]);
    end.abort();
  });

  test('an image runs only if one of the keys that the config names has signed it', async () => {
    const end = new AbortController();
    const sessions = await open(end.signal);
    const [owner, stranger] = [makeImageSigner(), makeImageSigner()];
    allowed = { image, levels: ['view'], longest: '10m', signedBy: [owner.publicKey] };
    const refused = async (why: RegExp) =>
      await assert.rejects(sessions.start(ask('view')), { code: 'session/image-unsigned', message: why });
    await refused(/no signature of it/);
    signed = (digest) => [stranger.sign(digest)];
    await refused(/by none of the keys/);
    signed = () => [owner.sign(`sha256:${'ab'.repeat(32)}`)];
    await refused(/of another image/);
    assert.deepEqual(sessions.list(), []);
    assert.deepEqual(audited, []);
    signed = (digest) => [stranger.sign(digest), owner.sign(digest)];
    const { id } = await sessions.start(ask('view'));
    const one = terminal(sessions, id, 'view');
    await one.sees(/\$ $/);
    await sessions.end(id, 'ada ended it');
    await one.hangUp();
    // Nothing of the signatures is left among the images of the node.
    const names = (await os.cri.images()).flatMap(({ repoTags }) => repoTags);
    assert.ok(!names.some((name) => name.endsWith('.sig')), names.join(' '));
    end.abort();
    await sessions.closed;
  });

  test('levels have the numbers of the contract', () => {
    assert.deepEqual([SessionLevel.VIEW, SessionLevel.FULL], [1, 2]);
  });
});
