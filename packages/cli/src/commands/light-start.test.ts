import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
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

test('nothing but names of folders is loaded before the cache of compiled code is there', () => {
  const script = `
import module, { registerHooks } from 'node:module';
const early = [];
registerHooks({ load: (url, context, next) => {
  if (url.startsWith('file:') && module.getCompileCacheDir() === undefined) early.push(url.replace(/.*packages\\//, ''));
  return next(url, context);
} });
process.argv[2] = 'version';
process.stdout.write = () => true;
await import(process.env.MAIN);
process.stderr.write(early.join(' '));`;
  const env = { ...process.env, MAIN: new URL('../main.ts', import.meta.url).href };
  const args = ['--input-type=module', '--eval', script, '--', 'version'];
  const { stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  assert.equal(stderr, 'cli/src/main.ts host/src/directories.ts');
});
