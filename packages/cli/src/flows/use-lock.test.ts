import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import { scratchFolder } from '@plinth/host/testing';
import type { CommandContext } from '../framework/context.ts';
import { createStyle } from '../output/style.ts';
import { osDir, useLock } from './use-lock.ts';

process.env['PLINTH_CACHE_DIR'] = await scratchFolder('cli');

const gone = new PlinthError(
  'debian/package-gone',
  'Cannot fetch 1 locked packages: the mirror no longer has a 1',
);

function context(answer: boolean | undefined, asked: string[]): CommandContext {
  return {
    progress: silentProgress,
    signal: new AbortController().signal,
    // A mirror that cannot be reached, so that nothing in these tests depends on a network.
    env: { PLINTH_MIRROR: 'http://127.0.0.1:9', PLINTH_SECURITY_MIRROR: 'http://127.0.0.1:9' },
    style: createStyle(false),
    writeOut: () => {},
    ...{ format: 'table', isTerminal: false },
    say: () => {},
    suspendProgress: (work) => work(),
    confirm: async (question) => {
      asked.push(question);
      return answer;
    },
  };
}

test('useLock takes the committed lock and asks nothing while the mirror has everything', async () => {
  const asked: string[] = [];
  const dir = await useLock(
    'plinth',
    { frozen: false },
    context(true, asked),
    silentProgress,
    async (d) => d,
  );
  assert.equal(dir, osDir);
  assert.deepEqual(asked, []);
});

test('useLock passes other errors through', async () => {
  const other = new PlinthError('host/disk-full', 'Cannot write x');
  const failing = useLock('plinth', { frozen: false }, context(true, []), silentProgress, () =>
    Promise.reject(other),
  );
  await assert.rejects(failing, other);
});

test('useLock --frozen refuses without asking', async () => {
  const asked: string[] = [];
  const failing = useLock('plinth', { frozen: true }, context(true, asked), silentProgress, () =>
    Promise.reject(gone),
  );
  await assert.rejects(failing, gone);
  assert.deepEqual(asked, []);
});

test('useLock asks at a terminal, and a no leaves everything as it was', async () => {
  const asked: string[] = [];
  let runs = 0;
  const failing = useLock('plinth', { frozen: false }, context(false, asked), silentProgress, () => {
    runs++;
    return Promise.reject(gone);
  });
  await assert.rejects(failing, gone);
  assert.equal(runs, 1);
  assert.match(asked[0] ?? '', /no longer has a 1\.\nUpdate os\/plinth\.lock\.json/);
});

test('useLock with nobody to ask chooses anew, and says why that fails', async () => {
  const steps: string[] = [];
  const progress: Progress = {
    ...silentProgress,
    step: (title, work) => {
      steps.push(title);
      return work(silentProgress);
    },
  };
  const failing = useLock('plinth', { frozen: false }, context(undefined, []), progress, () =>
    Promise.reject(gone),
  );
  await assert.rejects(failing, { code: 'host/download-failed' });
  assert.deepEqual(steps, ['Choose the packages of the image anew']);
});
