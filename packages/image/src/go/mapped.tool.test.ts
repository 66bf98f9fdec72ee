import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findGoComponent } from './build-go-component.ts';
import { loadGoComponents } from './go-component.ts';
import { readGoToolchainKey } from './go-tools.ts';

// The compiled program against processes of this machine. Only where it is compiled already.

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const component = (await loadGoComponents(join(repository, 'go'))).get('mapped');
const key = await readGoToolchainKey(join(repository, 'os'));
const program = (component && (await findGoComponent(component, key)))?.programs.get('plinth-mapped') ?? '';
const SLEEP = realpathSync('/usr/bin/sleep');
const skip =
  (program === '' && 'plinth-mapped is not compiled on this machine') ||
  (!(existsSync(SLEEP) && SLEEP.startsWith('/usr/')) && 'sleep is no program of its own here');

suite('plinth-mapped', { skip }, () => {
  let sleeper: ChildProcess;
  const say = (...paths: readonly string[]) => spawnSync(program, paths, { encoding: 'utf8' });
  const lines = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));

  before(async () => {
    sleeper = spawn('/usr/bin/sleep', ['600'], { stdio: 'ignore' });
    await new Promise((resolve) => setTimeout(resolve, 200));
  });
  after(() => {
    sleeper.kill('SIGKILL');
  });

  test('finds a process that maps a file, with the device that mountinfo has, and ends with what it saw', () => {
    const { status, stdout } = say(SLEEP);
    assert.equal(status, 0);
    const found = lines(stdout).find(({ pid }) => pid === sleeper.pid);
    const inode = /^\S+ \S+ \S+ ([0-9a-f]+):([0-9a-f]+) .*sleep$/m.exec(
      readFileSync(`/proc/${sleeper.pid}/maps`, 'utf8'),
    );
    const device = [inode?.[1], inode?.[2]].map((part) => Number.parseInt(part ?? '', 16)).join(':');
    assert.partialDeepStrictEqual(found, { name: 'sleep', path: SLEEP, device });
    const end = lines(stdout).at(-1);
    assert.ok(Number(end?.['seen']) >= 2, stdout);
    // Some of this machine's processes may be closed even to root.
    assert.ok(Number.isSafeInteger(end?.['hidden']), stdout);
  });

  test('says of a file that nobody maps only that it looked', () => {
    const { stdout } = say('/usr/lib/nobody-maps-this.so');
    assert.deepEqual(Object.keys(lines(stdout)[0] ?? {}), ['seen', 'hidden']);
  });

  test('finds code that lies on none of the given devices, and none that does', () => {
    const codeOf = (...devices: readonly string[]) => {
      const { status, stdout } = say('--outside', ...devices);
      assert.equal(status, 0);
      return lines(stdout).filter(({ pid }) => pid === sleeper.pid);
    };
    const found = codeOf('0:0');
    const program = found.find(({ path }) => path === SLEEP);
    assert.equal(program?.['name'], 'sleep');
    assert.ok(
      found.some(({ path }) => /\/libc[.-]/.test(String(path))),
      JSON.stringify(found),
    );
    const devices = new Set(found.map(({ device }) => String(device)));
    assert.deepEqual(codeOf(...devices), []);
    for (const wrong of [[], ['sda'], ['1'], ['1:x']])
      assert.equal(say('--outside', ...wrong).status, 2, wrong.join(' '));
  });

  test('looks for nothing outside of /usr, and for no endless list', () => {
    for (const paths of [
      [],
      ['/etc/passwd'],
      ['/usrlocal'],
      Array.from({ length: 401 }, (_, at) => `/usr/${at}`),
    ]) {
      const { status, stderr, stdout } = say(...paths);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, /^plinth-mapped: /);
    }
  });
});
