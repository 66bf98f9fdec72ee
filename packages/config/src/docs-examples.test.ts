import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseConfig } from './parse/parse-config.ts';
import { ACCESS, documents, MACHINE } from './testing/configs.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const BLOCK = /^```yaml\n([\s\S]*?)^```$/gm;

/** A page may show a part of a config: the documents that every config has are then put beside it. */
function completed(text: string): string {
  const kinds = [...text.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind);
  const old = kinds.includes('MachineConfig');
  const absent = [MACHINE, ACCESS].filter(({ kind }) => !old && !kinds.includes(kind));
  return [documents(...absent), text].filter((part) => part !== '').join('\n---\n');
}

const blocks = globSync('{docs/**/*.md,packages/*/README.md,README.md}', { cwd: ROOT }).flatMap((page) =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(BLOCK)]
    .map(([, text = '']) => ({ page, text }))
    .filter(({ text }) => text.includes('apiVersion: plinth.dev/')),
);

test('every machine config in the documentation is one', () => {
  assert.ok(blocks.length >= 3, `${blocks.length} found`);
  for (const { page, text } of blocks) {
    const result = parseConfig(Buffer.from(completed(text)), page);
    assert.ok(result.ok, result.ok ? '' : `${page}: ${JSON.stringify(result.diagnostics)}\n${text}`);
  }
});
