import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ProgramResult } from '../../sys/sys.ts';
import { boundedBoots, keepFailedBoots, parseBoots } from './failed-boots.ts';
import { trialDeadline } from './trial-deadline.ts';

const id = (n: number) => `${n}`.repeat(32);
const dashed = (n: number) => id(n).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
const boot = (n: number) => ({ boot_id: id(n), first_entry: n * 1e6 + 7, last_entry: n * 1e6 + 5e5 + 9 });
const boots = [1, 2, 3, 4].map(boot);

suite('boots of a version that failed', () => {
  test('are those between the one in which it was activated and this one', () => {
    const chosen = (afterBoot: string | undefined, tries: number) =>
      boundedBoots(boots, { afterBoot, tries }, dashed(4)).map(({ boot_id }) => boot_id[0]);
    assert.deepEqual(chosen(dashed(1), 3), ['2', '3']);
    assert.deepEqual(chosen(undefined, 1), ['3']);
    assert.deepEqual(chosen(undefined, 0), []);
    assert.deepEqual(chosen(dashed(9), 2), ['2', '3']);
  });

  test('a list of boots that is none gives none', () => {
    for (const text of ['', 'no boots', '{}', '[{"boot_id":1}]']) assert.deepEqual(parseBoots(text), []);
    assert.deepEqual(parseBoots(JSON.stringify([boot(2), boot(1)])), [boot(1), boot(2)]);
  });

  test('each journal is kept, bounded, and its last words are given; a full /var costs the file only', async () => {
    const asked: string[] = [];
    const run = async (_program: string, args: readonly string[]): Promise<ProgramResult> => {
      asked.push(args.join(' '));
      const answer = args.includes('--list-boots')
        ? JSON.stringify(boots)
        : args.includes('--priority=warning')
          ? `${'containerd: broken '.repeat(100)}\nlast\n`
          : 'x'.repeat(1_000_000);
      return { exitCode: 0, stdout: answer, stderr: '' };
    };
    const files = new Map<string, number>();
    const failed = { version: '1.1', afterBoot: dashed(1), tries: 3 };
    const store = {
      write: async (name: string, data: Uint8Array) => {
        if (name.includes(id(3))) throw new Error('ENOSPC');
        files.set(name, data.length);
      },
    };
    const kept = await keepFailedBoots({ sys: { run }, store }, failed, dashed(4));
    assert.deepEqual(
      kept.map(({ bootId, beganAtMs, endedAtMs, journal }) => [
        bootId,
        // Whole milliseconds: a moment of the API takes no other.
        beganAtMs,
        endedAtMs,
        journal.length,
        journal[0]?.length,
        journal[1],
      ]),
      [
        [id(2), 2000, 2500, 2, 300, 'last'],
        [id(3), 3000, 3500, 2, 300, 'last'],
      ],
    );
    assert.deepEqual([...files], [[`update/failed/1.1/${id(2)}.log`, 256 * 1024]]);
    assert.ok(asked.every((args) => !args.includes(dashed(4))));
  });

  test('without a journal nothing is found, and nothing is thrown', async () => {
    const run = async () => {
      throw new Error('ENOENT');
    };
    const failed = { version: '1.1', afterBoot: undefined, tries: 3 };
    assert.deepEqual(
      await keepFailedBoots({ sys: { run }, store: { write: async () => {} } }, failed, ''),
      [],
    );
  });
});

suite('the deadline of a trial', () => {
  const world = (results: Readonly<Record<string, ProgramResult>> = {}) => {
    const asked: string[] = [];
    const run = async (program: string, args: readonly string[]) => {
      asked.push([program, ...args].join(' '));
      return results[program] ?? { exitCode: 0, stdout: '', stderr: '' };
    };
    return { asked, deadline: trialDeadline({ run }) };
  };

  test('systemd reboots a little after plinthd would, and the bound of the image goes', async () => {
    const { asked, deadline } = world();
    await deadline.arm(600_000);
    assert.match(
      asked[0] ?? '',
      /^\/usr\/bin\/systemd-run .*--on-boot=630s .*\/usr\/bin\/systemctl .* reboot$/,
    );
    assert.match(asked[1] ?? '', /stop --no-block plinth-trial-deadline\.timer$/);
    await deadline.disarm();
    assert.match(asked.at(-1) ?? '', /stop --no-block plinth-trial-armed\.timer$/);
  });

  test('one that an earlier plinthd of this boot has set stays; any other failure is said and keeps the bound', async () => {
    const failing = (stderr: string) =>
      world({ '/usr/bin/systemd-run': { exitCode: 1, stdout: '', stderr } });
    const again = failing('Unit plinth-trial-armed.timer was already loaded or has a fragment file.');
    await again.deadline.arm(600_000);
    assert.equal(again.asked.length, 2);
    const broken = failing('Failed to connect to bus');
    await assert.rejects(broken.deadline.arm(600_000), { code: 'update/step-failed' });
    assert.equal(broken.asked.length, 1);
  });
});
