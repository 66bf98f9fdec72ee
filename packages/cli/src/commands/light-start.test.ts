import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/** Prints which files of these are loaded by listing all commands. */
const SCRIPT = `
import { registerHooks } from 'node:module';
const heavy = /@connectrpc|packages\\/(?!(?:base|cli|host)\\/)[a-z]+\\/src/;
const loaded = [];
registerHooks({ load: (url, context, next) => { if (heavy.test(url)) loaded.push(url); return next(url, context); } });
await import(process.env.COMMANDS);
console.log(loaded.length, loaded[0] ?? '');`;

test('listing the commands loads none of what they work with: every start pays for it', () => {
  const env = { COMMANDS: new URL('./index.ts', import.meta.url).href };
  const args = ['--input-type=module', '--eval', SCRIPT];
  assert.equal(execFileSync(process.execPath, args, { env, encoding: 'utf8' }).trim(), '0');
});
