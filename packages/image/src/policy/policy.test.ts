import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { parsePolicy } from './policy.ts';

const minimal =
  'execPaths: [/]\nlibraryPaths: [/usr/lib]\npackages: { max: 3 }\nbudgetsMiB: {}\nforbidden: []\n';

function problems(text: string): readonly string[] {
  try {
    parsePolicy(text, 'policy.yaml');
  } catch (reason) {
    assert.ok(reason instanceof PlinthError);
    assert.equal(reason.code, 'policy/invalid');
    assert.equal(reason.exitCode, 2);
    return reason.diagnostics.map(({ span, message }) => `${span?.line ?? '?'}: ${message}`);
  }
  return [];
}

test('parsePolicy reads the policy of the product', async () => {
  const file = new URL('../../../../os/policy.yaml', import.meta.url);
  const policy = parsePolicy(await readFile(file, 'utf8'), 'os/policy.yaml');
  assert.equal(policy.packages.max, 120);
  assert.deepEqual(
    policy.forbidden.map(({ rule }) => rule),
    ['shell', 'interpreter', 'package-manager', 'development-tool', 'remote-login'],
  );
});

test('parsePolicy refuses a waiver without reason, date or known rule, each with its line', () => {
  const waiver =
    'waivers:\n  - name: ada\n    rule: shel\n    path: /x\n    reason: ""\n    expires: 2027-02-30\n';
  const found = problems(minimal + waiver);
  assert.equal(found.length, 3);
  assert.match(found.join('\n'), /^8: [\s\S]*^10: [\s\S]*^11: /m);
});

test('parsePolicy refuses an unknown key and an exception that names nothing or two things', () => {
  assert.match(problems(`${minimal}waiver: []\n`).join(), /unknown key "waiver"/);
  const exception = 'danglingLinks:\n  - { reason: made at run time }\n';
  assert.match(problems(minimal + exception).join(), /either "path" or "target"/);
});
