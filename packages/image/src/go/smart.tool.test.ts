import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findGoComponent } from './build-go-component.ts';
import { loadGoComponents } from './go-component.ts';
import { readGoToolchainKey } from './go-tools.ts';

// What the compiled program takes and how it answers without disks; real answers of disks are seen by the boot tests.

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const component = (await loadGoComponents(join(repository, 'go'))).get('smart');
const key = await readGoToolchainKey(join(repository, 'os'));
const program = (component && (await findGoComponent(component, key)))?.programs.get('plinth-smart') ?? '';
const skip = program === '' && 'plinth-smart is not compiled on this machine';

suite('plinth-smart', { skip }, () => {
  const say = (...words: readonly string[]) => spawnSync(program, words, { encoding: 'utf8' });

  test('takes names of disks and nothing else', () => {
    for (const words of [
      [],
      ['sda'],
      ['/dev/vda'],
      ['/dev/sda1'],
      ['/dev/nvme0'],
      ['/dev/nvme0n1p1'],
      ['/dev/sda', '/dev/../etc/passwd'],
      ['--help'],
      Array.from({ length: 501 }, () => '/dev/sda'),
    ]) {
      const { status, stdout, stderr } = say(...words);
      assert.deepEqual([status, stdout], [2, ''], words.join(' '));
      assert.match(stderr, /^plinth-smart: /);
    }
  });

  test('of disks that are not there it says so, each on a line of its own', () => {
    const { status, stdout } = say('/dev/nvme999n9', '/dev/sdzzzz');
    assert.equal(status, 0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    const unread = 'it cannot be opened: no such file or directory';
    for (const disk of ['nvme999n9', 'sdzzzz'])
      assert.ok(
        lines.some((line) => JSON.stringify(line) === JSON.stringify({ disk, unread })),
        stdout,
      );
    assert.equal(lines.length, 2);
  });
});
