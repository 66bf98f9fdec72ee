import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { readGoFunctions } from './go-functions.ts';
import { readImportedSymbols } from './imported-symbols.ts';

const run = promisify(execFile);
let folder = '';
let program: Uint8Array;
let path = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-go-'));
  path = join(folder, 'hello');
  const source = join(folder, 'hello.go');
  await writeFile(
    source,
    'package main\n\nimport (\n\t"fmt"\n\t"slices"\n)\n\n//go:noinline\nfunc keep(x []int) []int { slices.Sort(x); return x }\n\nfunc main() { fmt.Println(keep([]int{2, 1})) }\n',
  );
  await run('go', ['build', '-o', path, source], {
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod', GO111MODULE: 'off' },
  });
  program = new Uint8Array(await readFile(path));
});
after(() => rm(folder, { recursive: true }));

test('readGoFunctions names every function that "go tool nm" finds, and survives stripping', async () => {
  const { stdout } = await run('go', ['tool', 'nm', path], { maxBuffer: 64 * 2 ** 20 });
  const found = readGoFunctions(program) ?? new Set<string>();
  const wanted = stdout
    .split('\n')
    .map((line) => /^\s*[0-9a-f]+ [Tt] (.+)$/.exec(line)?.[1] ?? '')
    // Symbols of the linker's own are no functions; the table leaves out the ABI suffix.
    .filter((name) => /^(?:main|fmt|slices|strconv|os|reflect)\./.test(name))
    .map((name) => name.replace(/\.abi(?:0|internal)$/, ''));
  assert.ok(wanted.length > 100);
  assert.deepEqual(
    wanted.filter((name) => !found.has(name)),
    [],
  );
  assert.ok(found.has('main.keep') && found.has('fmt.Println'));
  assert.ok(!found.has('net/http.(*Server).Serve'));
  await run('strip', ['-o', `${path}-stripped`, path]);
  const stripped = readGoFunctions(new Uint8Array(await readFile(`${path}-stripped`)));
  assert.deepEqual([...(stripped ?? [])].sort(), [...found].sort());
});

test('readImportedSymbols agrees with nm on a program of the machine', async () => {
  const shell = new Uint8Array(await readFile('/bin/sh'));
  const { stdout } = await run('nm', ['-D', '--undefined-only', '--without-symbol-versions', '/bin/sh']);
  const wanted = stdout.split('\n').flatMap((line) => /[Uwv] (\S+)$/.exec(line)?.[1] ?? []);
  assert.deepEqual([...(readImportedSymbols(shell) ?? [])].sort(), [...new Set(wanted)].sort());
  assert.equal(readImportedSymbols(program), undefined, 'a static program imports nothing it could tell');
  assert.equal(readGoFunctions(shell), undefined);
});

test('damaged programs give a coded error or nothing, never another exception', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 4095 }),
      fc.nat({ max: 255 }),
      fc.nat({ max: program.length - 1 }),
      (at, value, cut) => {
        const damaged = program.slice(0, program.length - (value % 2) * cut);
        damaged[at] = value;
        for (const read of [readGoFunctions, readImportedSymbols]) {
          try {
            read(damaged);
          } catch (reason) {
            assert.ok(reason instanceof PlinthError, String(reason));
          }
        }
      },
    ),
    { numRuns: 150 },
  );
});
