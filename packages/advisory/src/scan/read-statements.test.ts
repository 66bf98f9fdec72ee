import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeOf, scratchFolder } from '@plinth/host/testing';
import { readStatements } from './read-statements.ts';

const GOOD = `statements:
  - id: CVE-2026-0001
    justification: vulnerable_code_not_present
    predicate: { kind: config-off, symbols: [CONFIG_F2FS_FS] }
  - id: CVE-2026-0002
    justification: vulnerable_code_cannot_be_controlled_by_adversary
    predicate: { kind: human, author: jane, reason: only root may call it, expiresAt: '2026-12-01T00:00:00Z' }
`;

test("statements: a person's word without an end, or a predicate about nothing, is refused", async () => {
  const path = join(await scratchFolder('vex'), 'vex.yaml');
  const code = async (text: string) => {
    await writeFile(path, text);
    return await codeOf(readStatements(path));
  };
  assert.equal(await codeOf(readStatements('/dev/zero')), 'advisory/statements-invalid');
  assert.equal(await code(GOOD), 'ok');
  assert.equal((await readStatements(path)).length, 2);
  for (const [what, by] of [
    [", expiresAt: '2026-12-01T00:00:00Z'", ''],
    ['[CONFIG_F2FS_FS]', '[]'],
    ['config-off', 'surely-fine'],
    ['id: CVE-2026-0001', 'id: cve-2026-1'],
    ['vulnerable_code_not_present', 'trust_me'],
  ] as const) {
    assert.equal(await code(GOOD.replace(what, by)), 'advisory/statements-invalid', what);
  }
});
