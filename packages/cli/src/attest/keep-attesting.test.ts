import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodes, PlinthError } from '@plinth/base';
import type { CommandResult } from '../framework/result.ts';
import { plainText } from '../output/blocks.ts';
import { createStyle } from '../output/style.ts';
import { keepAttesting } from './keep-attesting.ts';

test('rounds go on after one that fails, what does not change is said once, and Ctrl-C ends them', async () => {
  const stopping = new AbortController();
  const [out, said]: [string[], string[]] = [[], []];
  const answers: (string | PlinthError)[] = [
    'all pass',
    'all pass',
    new PlinthError('kube/unreachable', 'Cannot list nodes: no answer'),
    'n2 fails',
  ];
  await keepAttesting(
    async (): Promise<CommandResult> => {
      const next = answers.shift();
      if (answers.length === 0) stopping.abort();
      if (next instanceof PlinthError) throw next;
      return { data: next, view: [plainText(next ?? '')], exitCode: exitCodes.ok };
    },
    0,
    {
      ...{ signal: stopping.signal, style: createStyle(false), format: 'table' },
      say: (line) => said.push(line),
      writeOut: (text) => out.push(String(text).trim()),
    },
  );
  assert.deepEqual(out, ['all pass', 'n2 fails']);
  assert.deepEqual(said, ['Cannot list nodes: no answer [kube/unreachable]']);
});
