import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import { makeJournal } from '../../logs/testing/make-journal.ts';
import type { Sys } from '../../sys/sys.ts';
import { keepFailedBoots } from './failed-boots.ts';

// What a real journald wrote, found by a real journalctl: the boot of this computer stands for one that failed.

suite('boots of a version that failed, in a real journal', () => {
  const own = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const next = 'ffffffff-ffff-4fff-8fff-ffffffffffff';
  let toolbox: Toolbox;
  let folder = '';
  let sys: Pick<Sys, 'run'>;

  before(async () => {
    toolbox = await openToolbox();
    folder = await mkdtemp(join(tmpdir(), 'plinth-failed-boots-'));
    const journal = await makeJournal(toolbox, folder, [
      { identifier: 'kubelet', priority: 6, lines: ['all is well', 'for now'] },
      { identifier: 'containerd', priority: 3, lines: ['cannot open /etc/nothing.toml'] },
    ]);
    sys = {
      run: async (_program, args) => {
        const { stdout } = await toolbox.run('journalctl', ['--directory=/journal', ...args], {
          binds: [{ host: journal, inside: '/journal', readOnly: true }],
        });
        return { exitCode: 0, stdout: stdout.toString(), stderr: '' };
      },
    };
  });
  after(() => rm(folder, { recursive: true }));

  test('the boot is found, what weighs is told, and all of it is kept', async () => {
    const files = new Map<string, string>();
    const store = {
      write: async (name: string, data: Uint8Array) => void files.set(name, Buffer.from(data).toString()),
    };
    const kept = await keepFailedBoots(
      { sys, store },
      { version: '1.1', afterBoot: undefined, tries: 1 },
      next,
    );
    assert.equal(kept.length, 1);
    const [boot] = kept;
    assert.equal(boot?.bootId, own.replaceAll('-', ''));
    assert.ok(Math.abs((boot?.endedAtMs ?? 0) - Date.now()) < 600_000, `${boot?.endedAtMs}`);
    assert.ok((boot?.beganAtMs ?? 0) <= (boot?.endedAtMs ?? 0));
    const words = boot?.journal.join('\n') ?? '';
    assert.match(words, /^\d{4}-\d\d-\d\dT.* containerd.*: cannot open \/etc\/nothing\.toml$/m);
    assert.doesNotMatch(words, /all is well/);
    const [[name, text] = ['', '']] = files;
    assert.equal(name, `update/failed/1.1/${own.replaceAll('-', '')}.log`);
    assert.match(text, /all is well[\s\S]*for now[\s\S]*cannot open/);
  });

  test('the present boot is none that failed', async () => {
    const parts = { sys, store: { write: async () => assert.fail('nothing is kept') } };
    assert.deepEqual(
      await keepFailedBoots(parts, { version: '1.1', afterBoot: undefined, tries: 3 }, own),
      [],
    );
  });
});
