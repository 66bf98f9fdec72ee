import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@plinth/host/testing';
import fc from 'fast-check';
import { runCheck } from '../checks/check.ts';
import { pause } from '../repeat.ts';
import { makeAuthority } from '../testing/authority.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { openLogShipping } from './open-log-shipping.ts';
import { journalArgs } from './ship-journal.ts';
import { receiveSyslog } from './testing/receive-syslog.ts';
import { syslogFrame } from './write-syslog.ts';

const authority = makeAuthority('logs');
const stranger = makeAuthority('another');
const server = authority.issue({ commonName: 'localhost', organisations: [], usage: 'serverAuth' });
after(() => {
  authority[Symbol.dispose]();
  stranger[Symbol.dispose]();
});

const START_S = 1_795_000_000;

/** An entry in the export format of the journal. */
function entry(index: number, message: string): string {
  const time = `${START_S}${String(index).padStart(6, '0')}`;
  return `__CURSOR=s=1\n__REALTIME_TIMESTAMP=${time}\nPRIORITY=4\nSYSLOG_IDENTIFIER=kubelet\n_PID=42\nMESSAGE=${message}\n\n`;
}

/** The journal of a machine: what is written after it is read comes later; it never ends by itself. */
class FakeJournal {
  readonly entries: string[] = [];
  readonly calls: (readonly string[])[] = [];
  nowMs = () => (START_S + 60) * 1000;

  async *stream(_program: string, args: readonly string[], signal: AbortSignal): AsyncGenerator<Buffer> {
    this.calls.push(args);
    const since = args.find((arg) => arg.startsWith('--since=@'))?.slice('--since=@'.length);
    const first = since === undefined ? 0 : Number(since.split('.')[1]);
    for (let next = first; !signal.aborted; ) {
      const piece = this.entries.slice(next).join('');
      next = this.entries.length;
      if (piece !== '') yield Buffer.from(piece);
      await pause(5, signal);
    }
  }
}

function target(port: number, certificateAuthority = authority.certificatePem) {
  return { server: 'localhost', port, certificateAuthority, priority: 'info' as const };
}

function memory() {
  const kept = new Map<string, Buffer>();
  return {
    kept,
    read: async (name: string) => kept.get(name),
    write: async (name: string, data: Uint8Array) => void kept.set(name, Buffer.from(data)),
  };
}

function start(
  journal: FakeJournal,
  store: ReturnType<typeof memory>,
  wanted: () => ReturnType<typeof target> | undefined,
) {
  const stop = new AbortController();
  const said: string[] = [];
  const running = openLogShipping({
    ...{ sys: journal, store, hostName: 'node-1', target: wanted, signal: stop.signal },
    console: { say: (line: string) => void said.push(line) },
    ...{ tickMs: 10, retryMs: 20, storeMs: 20 },
  });
  const state = async () => {
    const { verdict, observed } = await runCheck(running.check, fakeSys({}));
    return `${verdict}: ${observed}`;
  };
  return {
    said,
    state,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running.ended;
    },
  };
}

test('syslogFrame is a message of RFC 5424 with its length before it', () => {
  const record = {
    ...{
      seconds: START_S,
      nanos: 1_234_000,
      unit: 'kubelet.service',
      identifier: 'kubelet',
      pid: 42,
      priority: 4,
    },
    ...{ message: Buffer.from('two\nlines'), stderr: false, cutBytes: 0 },
  };
  const message = '<28>1 2026-11-18T11:06:40.001234Z node-1 kubelet 42 - - two\nlines';
  assert.equal(syslogFrame(record, 'node-1').toString(), `${message.length} ${message}`);
  const kernel = { ...record, identifier: 'kernel', pid: 0, priority: -1 };
  assert.match(syslogFrame(kernel, '').toString(), /^\d+ <6>1 \S+ - kernel - - - /);
});

test('whatever an entry holds, its head has its seven parts and its length is right', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(
      text,
      text,
      fc.uint8Array(),
      fc.integer({ min: -1, max: 7 }),
      (identifier, host, bytes, priority) => {
        const record = {
          seconds: 1,
          nanos: 0,
          unit: '',
          identifier,
          pid: 0,
          priority,
          stderr: false,
          cutBytes: 0,
        };
        const frame = syslogFrame({ ...record, message: Buffer.from(bytes) }, host);
        const space = frame.indexOf(' ');
        const message = frame.subarray(space + 1);
        assert.equal(Number(frame.subarray(0, space).toString()), message.length);
        const head = message.subarray(0, message.length - bytes.length).toString('latin1');
        assert.match(head, /^<\d{1,3}>1 [0-9TZ:.-]{27} [!-~]{1,255} [!-~]{1,48} - - - $/);
        assert.deepEqual(message.subarray(head.length), Buffer.from(bytes));
      },
    ),
  );
});

test('journalArgs follows from a position, at first from the beginning of the boot', () => {
  const [first, later] = [undefined, '1795000000000042'].map((from) =>
    journalArgs({ priority: 'err' }, from),
  );
  assert.deepEqual(first?.slice(4), ['--follow', '--lines=all', '--priority=0..3', '--boot']);
  assert.deepEqual(later?.slice(-1), ['--since=@1795000000.000042']);
});

test('entries arrive in order, also those that come later', async () => {
  await using logs = await receiveSyslog(server);
  const journal = new FakeJournal();
  journal.entries.push(entry(0, 'first'), entry(1, 'second'));
  await using node = start(journal, memory(), () => target(logs.port));
  await eventually(() => logs.messages.length === 2);
  journal.entries.push(entry(2, 'third'));
  await eventually(() => logs.messages.length === 3);
  assert.deepEqual(
    logs.messages.map((message) => message.split(' - - ')[1]),
    ['first', 'second', 'third'],
  );
  assert.equal(await node.state(), `pass: 3 entries sent to localhost:${logs.port} since plinthd started`);
});

test('a server that goes away and comes back gets what came meanwhile', async () => {
  const journal = new FakeJournal();
  journal.entries.push(entry(0, 'before'));
  const first = await receiveSyslog(server);
  await using node = start(journal, memory(), () => target(first.port));
  await eventually(() => first.messages.length === 1);
  await first[Symbol.asyncDispose]();
  await eventually(() => node.said.length === 1);
  assert.match(await node.state(), /^fail: localhost:\d+: /);
  journal.entries.push(entry(1, 'meanwhile'));
  await using second = await receiveSyslog(server, first.port);
  await eventually(() => second.messages.some((message) => message.endsWith('meanwhile')));
  assert.match(
    node.said.join('\n'),
    /^logs: cannot be sent to localhost: .*\nlogs: localhost is reached again$/,
  );
});

test('a plinthd that starts anew goes on where the last one was', async () => {
  await using logs = await receiveSyslog(server);
  const journal = new FakeJournal();
  const store = memory();
  journal.entries.push(entry(0, 'first'), entry(1, 'second'));
  {
    await using _node = start(journal, store, () => target(logs.port));
    await eventually(() => logs.messages.length === 2);
  }
  journal.entries.push(entry(2, 'third'));
  logs.messages.length = 0;
  await using _again = start(journal, store, () => target(logs.port));
  await eventually(() => logs.messages.some((message) => message.endsWith('third')));
  // The last one may come twice, an older one not.
  assert.ok(logs.messages.every((message) => !message.endsWith('first')));
  store.kept.set('log-shipping', Buffer.from('--file=/etc/passwd'));
  await using _third = start(journal, store, () => target(logs.port));
  await eventually(() => journal.calls.length === 3);
  assert.equal(journal.calls[2]?.at(-1), '--boot');
});

test('a server of another authority is told nothing', async () => {
  await using logs = await receiveSyslog(server);
  const journal = new FakeJournal();
  journal.entries.push(entry(0, 'secret'));
  await using node = start(journal, memory(), () => target(logs.port, stranger.certificatePem));
  await eventually(() => node.said.length === 1);
  assert.match(await node.state(), /^fail: localhost:\d+: .*(certificate|signature)/);
  assert.deepEqual([logs.messages, journal.calls], [[], []]);
});

test('another config is followed while plinthd runs', async () => {
  await using one = await receiveSyslog(server);
  await using two = await receiveSyslog(server);
  const journal = new FakeJournal();
  journal.entries.push(entry(0, 'first'));
  let wanted: ReturnType<typeof target> | undefined;
  await using node = start(journal, memory(), () => wanted);
  assert.equal(await node.state(), 'pass: not asked for');
  wanted = target(one.port);
  await eventually(() => one.messages.length === 1);
  wanted = target(two.port);
  await eventually(() => journal.calls.length === 2);
  journal.entries.push(entry(1, 'second'));
  await eventually(() => two.messages.some((message) => message.endsWith('second')));
  assert.ok(one.messages.every((message) => !message.endsWith('second')));
  wanted = undefined;
  await sleep(50);
  assert.equal(await node.state(), 'pass: not asked for');
  assert.deepEqual(node.said, []);
});

test('after the clock was set back nothing is passed over: the boot is sent again', async () => {
  await using receiver = await receiveSyslog(server);
  const [journal, store] = [new FakeJournal(), memory()];
  journal.entries.push(entry(0, 'after the clock was set'));
  journal.nowMs = () => START_S * 1000;
  await store.write('log-shipping', Buffer.from(`${START_S + 3600}000000`));
  await using _running = start(journal, store, () => target(receiver.port));
  await eventually(() => receiver.messages.length > 0);
  assert.ok(journal.calls[0]?.includes('--boot'));
});
