import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActKind, ActState, type GetKubernetesResponse } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { createProgress, type ProgressEvent } from '../progress/events.ts';
import { fakeAct, fakeAnswer } from '../testing/fake-kubernetes.ts';
import { followAct } from './follow-act.ts';

const { RUNNING, DONE, FAILED, REVERTED, UNSPECIFIED } = ActState;

/** Follows an act whose node gives these answers one after the other, the last one for ever. */
async function follow(answers: readonly (GetKubernetesResponse | PlinthError)[], timeoutMs = 20_000) {
  const events: ProgressEvent[] = [];
  const progress = createProgress(
    (event) => events.push(event),
    () => 0,
  );
  let asked = 0;
  const get = async () => {
    const answer = answers[Math.min(asked++, answers.length - 1)];
    if (answer instanceof PlinthError) throw answer;
    assert.ok(answer);
    return answer;
  };
  const signal = new AbortController().signal;
  const result = await followAct(ActKind.JOIN, progress, {
    name: 'n1',
    get,
    signal,
    timeoutMs,
    pollMs: 1,
  }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const ends = events.flatMap((event) => (event.type === 'end' ? [`${event.title}: ${event.end}`] : []));
  const notes = events.flatMap((event) => (event.type === 'note' ? [event.text] : []));
  return { result, ends, notes };
}

const answer = (state: ActState, ...steps: readonly ActState[]) =>
  fakeAnswer({ act: fakeAct(ActKind.JOIN, state, steps) });
const silence = new PlinthError('api/unreachable', 'Cannot connect', { retryable: true });

test('followAct shows each step once, in order, also those it missed', async () => {
  const { result, ends } = await follow([
    answer(RUNNING, DONE, RUNNING, UNSPECIFIED),
    answer(RUNNING, DONE, RUNNING, UNSPECIFIED),
    answer(DONE, DONE, DONE, DONE),
  ]);
  assert.equal(result, undefined);
  assert.deepEqual(ends, ['Step 1 (took 3.0 s): done', 'Step 2: done', 'Step 3 (took 3.0 s): done']);
});

test('followAct waits until the node has begun, and through its silence', async () => {
  const { result, notes } = await follow([
    fakeAnswer({}),
    fakeAnswer({ act: fakeAct(ActKind.LEAVE, DONE, [DONE]) }),
    answer(RUNNING, RUNNING),
    silence,
    answer(DONE, DONE),
  ]);
  assert.equal(result, undefined);
  assert.ok(notes.includes('the node does not answer'));
});

test('followAct ends with the reason of the node, at the step that failed', async () => {
  const failed = fakeAnswer({
    act: fakeAct(ActKind.JOIN, FAILED, [DONE, FAILED, UNSPECIFIED], {
      code: 'not/known-here',
      message: 'the token has expired',
      hint: 'Invite it again.',
    }),
  });
  const { result, ends } = await follow([answer(RUNNING, DONE, RUNNING, UNSPECIFIED), failed]);
  assert.ok(result instanceof PlinthError);
  assert.deepEqual([result.code, result.hint], ['cluster/act-failed', 'Invite it again.']);
  assert.equal(result.message, 'Cannot join node "n1": Step 2: the token has expired');
  assert.deepEqual(result.details, { node: 'n1', nodeCode: 'not/known-here' });
  assert.deepEqual(ends, ['Step 1 (took 3.0 s): done', 'Step 2: failed']);
});

test('a failed step waits for the way back, and the end says how that went', async () => {
  const { result, notes } = await follow([
    answer(RUNNING, DONE, RUNNING),
    answer(RUNNING, DONE, FAILED),
    answer(RUNNING, DONE, FAILED),
    answer(REVERTED, DONE, FAILED),
  ]);
  assert.ok(result instanceof PlinthError);
  assert.match(result.message, /; what was done has been taken back$/);
  assert.ok(notes.includes('failed; the node takes back what was done'));
});

test('an act that was taken back is a failure that says so, whatever its steps say', async () => {
  const { result } = await follow([answer(RUNNING, RUNNING), answer(REVERTED, DONE)]);
  assert.ok(result instanceof PlinthError);
  assert.match(result.message, /the node does not say why; what was done has been taken back$/);
});

test('a state of an act that this client does not know is not taken for its end', async () => {
  const { result } = await follow([answer(UNSPECIFIED, DONE)]);
  assert.ok(result instanceof PlinthError && result.code === 'cluster/act-failed');
});

test('an act that takes too long is given up, and the node is not to blame', async () => {
  const { result } = await follow([answer(RUNNING, RUNNING)], 30);
  assert.ok(result instanceof PlinthError && result.code === 'cluster/act-timeout' && result.exitCode === 6);
});

test('an error that does not pass ends it at once', async () => {
  const { result } = await follow([new PlinthError('api/forbidden', 'Cannot call')]);
  assert.ok(result instanceof PlinthError && result.code === 'api/forbidden');
});
