import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agree, agreeByName } from './consent.ts';

const answers = (answer: boolean | undefined) => {
  const asked: string[] = [];
  const confirm = async (question: string) => {
    asked.push(question);
    return answer;
  };
  return { asked, confirm };
};

test('a yes goes on, a no changes nothing, and where nobody can be asked only --yes goes on', async () => {
  await agree('Reboot?', false, answers(true));
  await assert.rejects(agree('Reboot?', false, answers(false)), { code: 'cli/declined' });
  await assert.rejects(agree('Reboot?', false, answers(undefined)), { code: 'cli/usage', hint: /--yes/ });
});

test('whoever said --yes is not asked', async () => {
  const { asked, confirm } = answers(false);
  await agree('Reboot?', true, { confirm });
  assert.deepEqual(asked, []);
});

test('what is lost for ever has to be named, letter by letter', () => {
  agreeByName('w1', 'w1', 'all is lost');
  for (const typed of [undefined, '', 'W1', 'w1 '])
    assert.throws(() => agreeByName(typed, 'w1', 'all is lost'), { code: 'cli/usage', hint: /--confirm w1/ });
});
