import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SessionCalls, SessionLevel, type TerminalInput } from '@plinth/api';
import { eventually } from '@plinth/host/testing';
import type { Terminal } from '../framework/terminal.ts';
import { holdTerminal, LEAVE_KEY } from './hold-terminal.ts';

const session = { id: 'a', level: SessionLevel.VIEW };

/** A terminal and a session that echoes what is typed, until it reads "exit". */
function stage() {
  let press = (_text: string) => {};
  let resized = () => {};
  let size = { columns: 80, rows: 24 };
  const state = { taken: 0, given: 0, shown: '', sent: [] as TerminalInput[] };
  const terminal: Terminal = {
    size: () => size,
    write: () => {},
    takeOver() {
      state.taken++;
      return {
        onKeys(listener) {
          press = listener;
        },
        onResize(listener) {
          resized = listener;
        },
        end: () => {
          state.given++;
        },
      };
    },
  };
  const attach: SessionCalls['attach'] = async function* (_session, first, input) {
    state.sent.push(first);
    yield { output: new Uint8Array(), endedBecause: '' };
    for await (const each of input) {
      state.sent.push(each);
      if (!(each instanceof Uint8Array)) continue;
      yield { output: each, endedBecause: '' };
      if (Buffer.from(each).toString() === 'exit')
        yield { output: new Uint8Array(), endedBecause: 'its shell ended' };
    }
  };
  const hold = (signal = new AbortController().signal, own = attach) =>
    holdTerminal({ session: { attach: own } as never }, session, terminal, {
      signal,
      writeOut: (text) => {
        state.shown += Buffer.from(text).toString();
      },
    });
  return {
    state,
    hold,
    press: (text: string) => press(text),
    resize(columns: number, rows: number) {
      size = { columns, rows };
      resized();
    },
    ready: () => eventually(() => assert.equal(state.taken, 1)),
  };
}

test('what is typed goes there, what is shown comes here, and the end is told', async () => {
  const { state, hold, press, resize, ready } = stage();
  const held = hold();
  await ready();
  press('ls\u0003');
  await eventually(() => assert.equal(state.shown, 'ls\u0003'));
  resize(100, 30);
  press('exit');
  assert.equal(await held, 'its shell ended');
  assert.deepEqual(state.sent[0], { columns: 80, rows: 24 });
  assert.ok(state.sent.some((each) => !(each instanceof Uint8Array) && each.columns === 100));
  assert.deepEqual([state.taken, state.given], [1, 1]);
});

test('one key leaves the terminal, and what was typed before it is sent', async () => {
  const { state, hold, press, ready } = stage();
  const held = hold();
  await ready();
  press(`q${LEAVE_KEY}never`);
  assert.equal(await held, undefined);
  assert.equal(state.given, 1);
  assert.ok(!state.sent.some((each) => each instanceof Uint8Array && Buffer.from(each).includes('never')));
});

test('a signal leaves it too', async () => {
  const { state, hold, ready } = stage();
  const end = new AbortController();
  const held = hold(end.signal);
  await ready();
  end.abort();
  assert.equal(await held, undefined);
  assert.equal(state.given, 1);
});

test('a session that cannot be attached leaves the terminal alone; one that breaks gives it back', async () => {
  const refused = stage();
  // biome-ignore lint/correctness/useYield: it is refused before
  const refuse: SessionCalls['attach'] = async function* () {
    throw new Error('busy');
  };
  await assert.rejects(refused.hold(undefined, refuse), /busy/);
  assert.equal(refused.state.taken, 0);
  const broken = stage();
  const breaks: SessionCalls['attach'] = async function* () {
    yield { output: new Uint8Array(), endedBecause: '' };
    throw new Error('the connection broke');
  };
  await assert.rejects(broken.hold(undefined, breaks), /broke/);
  assert.deepEqual([broken.state.taken, broken.state.given], [1, 1]);
});
