import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import fc from 'fast-check';
import { readGoFunctions } from './go-functions.ts';
import { readImportedSymbols } from './imported-symbols.ts';

let folder = '';
let go: Toolbox;
let goProgram = '';
let binutils: Toolbox;
let program: Uint8Array;

before(async () => {
  go = await openToolbox({ name: 'go-tools' });
  binutils = await openToolbox();
  const toolchain = (await readdir(join(go.root, 'usr/lib'))).find((name) => /^go-\d/.test(name));
  goProgram = `/usr/lib/${toolchain}/bin/go`;
  folder = await mkdtemp(join(tmpdir(), 'plinth-go-'));
  await writeFile(
    join(folder, 'hello.go'),
    'package main\n\nimport (\n\t"fmt"\n\t"slices"\n)\n\n//go:noinline\nfunc keep(x []int) []int { slices.Sort(x); return x }\n\nfunc main() { fmt.Println(keep([]int{2, 1})) }\n',
  );
  await runGo('build', '-o', '/x/hello', '/x/hello.go');
  program = new Uint8Array(await readFile(join(folder, 'hello')));
});

const binds = () => [{ host: folder, inside: '/x' }];

function runGo(...args: string[]) {
  const env = { CGO_ENABLED: '0', GO111MODULE: 'off', GOCACHE: '/x/cache', HOME: '/x', GOTOOLCHAIN: 'local' };
  return go.run(goProgram, args, { binds: binds(), env });
}

after(() => rm(folder, { recursive: true }));

test('readGoFunctions names every function that "go tool nm" finds, and survives stripping', async () => {
  const { stdout } = await runGo('tool', 'nm', '/x/hello');
  const found = readGoFunctions(program) ?? new Set<string>();
  const wanted = stdout
    .toString()
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
  await binutils.run('strip', ['-o', '/x/stripped', '/x/hello'], { binds: binds() });
  const stripped = readGoFunctions(new Uint8Array(await readFile(join(folder, 'stripped'))));
  assert.deepEqual([...(stripped ?? [])].sort(), [...found].sort());
});

test('readImportedSymbols agrees with nm on a program of the toolbox', async () => {
  const shell = new Uint8Array(await readFile(join(binutils.root, 'usr/bin/x86_64-linux-gnu-readelf')));
  const { stdout } = await binutils.run('nm', [
    '-D',
    '--undefined-only',
    '--without-symbol-versions',
    '/usr/bin/x86_64-linux-gnu-readelf',
  ]);
  const wanted = stdout
    .toString()
    .split('\n')
    .flatMap((line) => /[Uwv] (\S+)$/.exec(line)?.[1] ?? []);
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
