import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectNode, type NodeClient } from '@plinth/api';
import { FakeNode, fakeWorld, type ServedNode, serveFakeNode } from '@plinth/api/testing';
import { eventually } from '@plinth/host/testing';
import type { Terminal } from '../framework/terminal.ts';
import { createStyle } from '../output/style.ts';
import { ENTER, LEAVE } from './draw-changes.ts';
import { runDashboard } from './run-dashboard.ts';

let served: ServedNode;
let node: NodeClient;
const fake = new FakeNode('cp1', fakeWorld());
before(async () => {
  served = await serveFakeNode(fake);
  node = connectNode({
    ...{ address: '127.0.0.1', port: served.port, fingerprint: served.fingerprint, timeoutMs: 60_000 },
    ...{ clientCertificatePem: served.certificatePem, clientKeyPem: served.keyPem },
  });
});
after(async () => {
  node.close();
  await served[Symbol.asyncDispose]();
});

/** A terminal that keeps what it was sent, with a keyboard and a size. */
function fakeTerminal() {
  const sent: string[] = [];
  let size = { columns: 80, rows: 24 };
  let onKeys: (text: string) => void = () => {};
  let onResize = () => {};
  let ended = 0;
  const terminal: Terminal = {
    size: () => size,
    write: (text) => void sent.push(text),
    takeOver({ enter, leave }) {
      sent.push(enter);
      return {
        onKeys(listener) {
          onKeys = listener;
        },
        onResize(listener) {
          onResize = listener;
        },
        end() {
          ended++;
          sent.push(leave);
        },
      };
    },
  };
  return {
    terminal,
    sent,
    press: (text: string) => onKeys(text),
    resize(columns: number, rows: number) {
      size = { columns, rows };
      onResize();
    },
    ended: () => ended,
    seen: (pattern: RegExp) =>
      eventually(() =>
        assert.ok(pattern.test(sent.join('')), `${pattern} in ${sent.join('').slice(-2_000)}`),
      ),
  };
}

const options = (terminal: Terminal, signal = new AbortController().signal) => ({
  ...{ node, context: 'cp1', terminal, signal },
  style: createStyle(false),
});

test('the node is shown, a panel is chosen, the terminal is given back', async () => {
  const screen = fakeTerminal();
  const running = runDashboard(options(screen.terminal));
  await screen.seen(/cp1 {2}healthy/);
  // The fake has no versions: that line says so and the rest is there.
  await screen.seen(/system +<unknown> Cannot call GetVersions/);
  await screen.seen(/kubernetes +member of no cluster/);
  screen.press('5');
  await screen.seen(/\[5 logs\]/);
  screen.press('q');
  await running;
  assert.equal(screen.sent[0], ENTER);
  assert.equal(screen.sent.at(-1), LEAVE);
  assert.equal(screen.ended(), 1);
  const written = screen.sent.length;
  await sleep(400);
  assert.equal(screen.sent.length, written, 'nothing is drawn on a terminal that is not ours any more');
});

test('another size draws anew, without anything beyond it', async () => {
  const screen = fakeTerminal();
  const running = runDashboard(options(screen.terminal));
  await screen.seen(/cp1/);
  const before = screen.sent.length;
  screen.resize(20, 5);
  const drawn = screen.sent.slice(before).join('');
  assert.ok(drawn.includes('\u001b[2J'));
  assert.ok(drawn.includes('\u001b[5;1H'));
  assert.ok(!drawn.includes('\u001b[6;1H'));
  screen.press('\u0003');
  await running;
});

test('a signal ends it, and a failure of its own gives the terminal back too', async () => {
  const stop = new AbortController();
  const screen = fakeTerminal();
  const running = runDashboard(options(screen.terminal, stop.signal));
  await screen.seen(/cp1/);
  stop.abort();
  await running;
  assert.equal(screen.ended(), 1);

  const broken = fakeTerminal();
  const terminal = {
    ...broken.terminal,
    write: () => {
      throw new Error('the terminal is gone');
    },
  };
  await assert.rejects(runDashboard(options(terminal)), /the terminal is gone/);
  assert.equal(broken.ended(), 1);
});
