import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { ContainerState, EventKind } from '@plinth/api';
import type { FakeLogs } from '@plinth/api/testing';
import fc from 'fast-check';
import { jsonLine, printableLines, printablePieces } from '../output/printable.ts';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';

const time = { seconds: BigInt(Date.UTC(2026, 10, 22, 5, 0, 1) / 1000), nanos: 123_456_789 };
/** Text that would clear a terminal, name its window and forge a line. */
const HOSTILE = 'a\u001b[2J\u009b31m\u001b]0;x\u0007b\u0000c\rd';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

suite('logs, events, containers and files, by commands', () => {
  let fleet: FakeFleet;
  let logs: FakeLogs;
  let folder = '';
  const ok = (...argv: string[]) => fleet.ok(...argv);

  before(async () => {
    fleet = await fakeFleet('n1', 'n2');
    folder = await mkdtemp(join(tmpdir(), 'plinth-logs-'));
    const found = fleet.nodes.get('n1')?.logs;
    const other = fleet.nodes.get('n2')?.logs;
    assert.ok(found && other);
    logs = found;
    logs.entries = [
      {
        time,
        unit: 'kubelet.service',
        identifier: 'kubelet',
        pid: 7,
        priority: 6,
        message: 'first\n\tsecond',
      },
      { time, identifier: 'kernel', priority: 3, message: HOSTILE, cutBytes: 5n },
    ];
    other.entries = [{ time, unit: 'x.service', message: 'other' }];
    logs.texts = { '/etc/hosts': `127.0.0.1 localhost\n${HOSTILE}\n`, '/etc/b': 'b' };
  });
  after(async () => {
    await fleet[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  test('a node that takes the call and says nothing is waited for as long as --timeout says', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    assert.ok(typeof address === 'object' && address);
    const credentials = ['--certificate', join(fleet.folder, 'client.crt')];
    credentials.push('--key', join(fleet.folder, 'client.key'), '--fingerprint', `sha256:${'ab'.repeat(32)}`);
    await ok('config', 'add', 'silent', '--endpoint', `127.0.0.1:${address.port}`, ...credentials);
    try {
      for (const argv of [['logs'], ['dmesg'], ['events'], ['audit', 'log']]) {
        const { exitCode, stderr } = await fleet.plinth(...argv, '--context', 'silent', '--timeout', '1');
        assert.match(stderr, /api\/timeout.* 1000 ms\n.*--timeout/, argv.join(' '));
        assert.equal(exitCode, 6);
      }
    } finally {
      await ok('config', 'remove', 'silent');
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  test('logs prints entries in one line each, further lines set in, and nothing that commands a terminal', async () => {
    assert.equal(
      await ok('logs'),
      [
        '2026-11-22T05:00:01.123456Z kubelet: first',
        '        second',
        '2026-11-22T05:00:01.123456Z kernel: ab c d [5 bytes more]',
        '',
      ].join('\n'),
    );
    const lines = (await ok('logs', '-o', 'json')).trimEnd().split('\n');
    assert.deepEqual(JSON.parse(lines[1] ?? ''), {
      ...{ node: 'n1', time: '2026-11-22T05:00:01.123456Z', unit: '', identifier: 'kernel', pid: 0 },
      ...{ priority: 3, message: HOSTILE, stderr: false, cutBytes: 5 },
    });
    assert.doesNotMatch(lines.join('\n'), CONTROL);
  });

  test('logs asks for what the options say', async () => {
    const asked = async (...argv: string[]) => {
      logs.asked.length = 0;
      await ok('logs', ...argv);
      const [request] = logs.asked;
      assert.ok(request);
      return request;
    };
    const plain = await asked();
    assert.deepEqual([plain.lines, plain.follow, plain.source.case], [100, false, undefined]);
    const unit = await asked('kubelet', '-f', '-n', '5', '--boot', '-1', '--priority', 'err', '--grep', 'x');
    assert.deepEqual(unit.source, { case: 'unit', value: 'kubelet.service' });
    assert.deepEqual([unit.lines, unit.follow, unit.boot, unit.priority, unit.grep], [5, true, -1, 3, 'x']);
    const since = await asked('systemd-*', '--since', '2026-11-22', '--until', '2026-11-23');
    assert.deepEqual([since.lines, since.source.value], [undefined, 'systemd-*']);
    assert.deepEqual([since.since?.seconds, since.until?.seconds], [1795305600n, 1795392000n]);
    const pod = await asked('kube-system/dns/c', '--previous', '-n', 'all');
    assert.partialDeepStrictEqual(pod.source, {
      case: 'container',
      value: { namespace: 'kube-system', pod: 'dns', container: 'c', previous: true },
    });
    await ok('dmesg');
    assert.deepEqual([logs.asked.at(-1)?.source.case, logs.asked.at(-1)?.lines], ['kernel', undefined]);
  });

  test('logs refuses what means nothing before it asks', async () => {
    for (const argv of [
      ['a/b/c/d'],
      ['/b'],
      ['a/'],
      ['x', '--previous'],
      ['--previous'],
      ['-n', 'many'],
      ['--boot', '1'],
      ['--since', 'soon'],
      ['-o', 'yaml'],
    ])
      assert.equal((await fleet.plinth('logs', ...argv)).exitCode, 2, argv.join(' '));
  });

  test('several nodes are merged with their names; one that fails does not stop the others', async () => {
    const stdout = await ok('logs', '--nodes', 'n1,n2');
    assert.match(stdout, /Z n1 kubelet: first\n/);
    assert.match(stdout, /Z n2 x: other\n/);
    const broken = fleet.nodes.get('n2')?.logs;
    assert.ok(broken);
    broken.unreadable = true;
    const partly = await fleet.plinth('logs', '--nodes', 'n1,n2');
    assert.equal(partly.exitCode, 5);
    assert.match(partly.stdout, /n1 kubelet: first/);
    assert.match(partly.stderr, /failed {2}n2: .*\[logs\/unreadable\]/);
  });

  test('events are told with the gaps before them', async () => {
    const event = {
      sequence: 4n,
      time,
      kind: EventKind.UNIT,
      subject: 'a.service',
      state: 'failed',
      text: HOSTILE,
    };
    logs.events = [{ event, missed: 2n }];
    assert.equal(
      await ok('events'),
      '2 events missed: this client read too slowly\n2026-11-22T05:00:01.123456Z unit   a.service failed ab c d\n',
    );
    const data = JSON.parse(await ok('events', '-o', 'json'));
    assert.partialDeepStrictEqual(data, {
      node: 'n1',
      missed: '2',
      event: { kind: 'unit', state: 'failed' },
    });
  });

  test('pods, containers and images are tables, and images come and go', async () => {
    logs.pods = [{ id: 'p', namespace: 'kube-system', name: 'dns', ready: true, address: '10.0.0.2' }];
    logs.running = [
      { name: 'c', pod: 'dns', namespace: 'kube-system', state: ContainerState.RUNNING, attempt: 2 },
    ];
    assert.match(await ok('get', 'pods'), /dns +kube-system +yes +10\.0\.0\.2/);
    assert.match(await ok('get', 'containers'), /c +dns +kube-system +running +2/);
    assert.equal(await ok('get', 'containers', '-o', 'name'), 'kube-system/dns/c\n');
    assert.partialDeepStrictEqual(JSON.parse(await ok('get', 'containers', '-o', 'json')), {
      containers: [{ state: 'running' }],
    });
    const image = 'registry.example/app:1';
    assert.match(await ok('image', 'pull', image), /is there: sha256:registry/);
    assert.match(await ok('get', 'images'), /registry\.example\/app:1 +registry\.exam +4\.00 KiB +no/);
    const unasked = await fleet.plinth('image', 'remove', image);
    assert.deepEqual([unasked.exitCode, unasked.stdout], [2, '']);
    assert.match(unasked.stderr, /cannot ask "Remove .*\n {2}hint: .*--yes/);
    assert.match(await ok('image', 'remove', image, '--yes'), /is removed/);
    const missing = await fleet.plinth('image', 'remove', image, '--yes');
    assert.equal(missing.exitCode, 1);
    assert.match(missing.stderr, /containers\/image-missing/);
  });

  test('files are listed, read byte for byte, and saved whole', async () => {
    assert.match(await ok('files', 'list', '/etc'), /hosts +-rw-r--r-- +\d+ B/);
    assert.equal(await ok('files', 'read', '/etc/hosts'), logs.texts['/etc/hosts']);
    const target = join(folder, 'copy');
    assert.match(await ok('files', 'read', '/etc/hosts', '--output', target), /copy: \d+ B\./);
    assert.equal(await readFile(target, 'utf8'), logs.texts['/etc/hosts']);
    assert.equal((await fleet.plinth('files', 'read', '/etc/hosts', '--output', target)).exitCode, 2);
    const refused = await fleet.plinth('files', 'read', '/etc/shadow', '--output', join(folder, 'none'));
    assert.equal(refused.exitCode, 4);
    assert.match(refused.stderr, /files\/not-allowed/);
    await assert.rejects(readFile(join(folder, 'none')), { code: 'ENOENT' });
  });
});

test('no text gets a control character to a terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const line of printableLines(text)) assert.doesNotMatch(line, CONTROL);
      const json = jsonLine({ text });
      assert.doesNotMatch(json, CONTROL);
      assert.equal(JSON.parse(json).text, text.toWellFormed() === text ? text : JSON.parse(json).text);
    }),
  );
});

test('a file that comes in pieces is as safe as one that comes whole', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom('\n', '\u001b[31m', '€', 'a', '\u009b2J', '\u0007'), fc.string()), {
        maxLength: 30,
      }),
      fc.integer({ min: 1, max: 7 }),
      (parts, size) => {
        const bytes = Buffer.from(parts.join(''));
        const pieces = printablePieces();
        let text = '';
        for (let at = 0; at < bytes.length; at += size) text += pieces.piece(bytes.subarray(at, at + size));
        text += pieces.end();
        assert.doesNotMatch(text, CONTROL);
        const whole = printablePieces();
        assert.equal(text, whole.piece(bytes) + whole.end());
      },
    ),
  );
  const endless = printablePieces();
  for (let count = 0; count < 20; count++) endless.piece(Buffer.alloc(65_537, 'x'));
  assert.equal(endless.end(), '');
});
