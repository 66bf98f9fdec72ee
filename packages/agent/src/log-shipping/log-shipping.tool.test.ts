import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually, scratchFolder } from '@plinth/host/testing';
import { openToolbox } from '@plinth/toolbox';
import { makeJournal } from '../logs/testing/make-journal.ts';
import { streamProgram } from '../sys/stream-program.ts';
import { makeAuthority } from '../testing/authority.ts';
import { shipJournal } from './ship-journal.ts';
import { receiveSyslog } from './testing/receive-syslog.ts';

// The journal of a real journald, followed by a real journalctl, on its way to a server.

const authority = makeAuthority('logs');
after(() => authority[Symbol.dispose]());

test('every entry of the journal arrives once and in order; later it goes on where it was', {
  timeout: 300_000,
}, async () => {
  const toolbox = await openToolbox();
  const many = Array.from({ length: 3000 }, (_, index) => `line ${index}`);
  const journal = await makeJournal(toolbox, await scratchFolder('shipping'), [
    { identifier: 'many', priority: 5, lines: many },
    { identifier: 'talk', priority: 7, lines: ['not for others'] },
    {
      identifier: 'hostile',
      priority: 3,
      lines: ['a\u001b[2Jb', '€ ünïcödé', 'x'.repeat(40_000), 'the end'],
    },
  ]);
  const certificate = authority.issue({ commonName: 'localhost', organisations: [], usage: 'serverAuth' });
  await using logs = await receiveSyslog(certificate);
  let position: string | undefined;
  let sent = 0;
  const ship = async (isDone: () => boolean) => {
    const stop = new AbortController();
    const shipping = shipJournal({
      sys: {
        stream(_program, args, signal) {
          const command = toolbox.command('journalctl', [...args, '--directory=/journal'], {
            binds: [{ host: journal, inside: '/journal', readOnly: true }],
          });
          return streamProgram(command.program, command.args, signal);
        },
      },
      target: {
        ...{ server: 'localhost', port: logs.port, priority: 'info' as const },
        certificateAuthority: authority.certificatePem,
      },
      ...{ hostName: 'node-1', from: position, signal: stop.signal },
      onConnected() {},
      onShipped(at, entries) {
        position = at;
        sent += entries;
      },
    });
    const came = () =>
      `${logs.messages.length} came, ${sent} were sent: ${logs.messages.at(-1)?.slice(0, 200)}`;
    const done = eventually(() => assert.ok(isDone(), came()), { isHopeless: () => stop.signal.aborted });
    try {
      await Promise.race([shipping, done]);
    } finally {
      stop.abort();
      await shipping;
    }
    assert.ok(isDone(), came());
  };
  const texts = (messages: readonly string[]) =>
    messages.map((message) => message.slice(message.indexOf(' - - ') + 5));

  // journald reads from several writers at a time, and says a word of its own at its end.
  const of = (name: string) => texts(logs.messages.filter((message) => message.includes(` ${name} `)));
  await ship(() => of('hostile').length === 4 && of('many').length === 3000 && sent === logs.messages.length);

  assert.deepEqual(of('many'), many);
  assert.deepEqual(of('hostile'), ['a\u001b[2Jb', '€ ünïcödé', 'x'.repeat(32 * 1024), 'the end']);
  assert.deepEqual(of('talk'), []);
  for (const message of logs.messages)
    assert.match(message, /^<\d+>1 \d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}Z node-1 \S+ \S+ - - /);

  const before = logs.messages.splice(0).at(-1);
  await ship(() => logs.messages.length > 0);
  assert.deepEqual(logs.messages, [before]);
});
