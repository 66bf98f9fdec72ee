import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { HealthState, Verdict } from '@plinth/api';
import type { MachineSpec } from '@plinth/local';
import { bootImage, endpointOf } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { settledHealth, verdictOf } from '../testkit/node-answers.ts';
import { copyWithVar, corruptVar, fillVar } from '../testkit/var-disk.ts';

interface BrokenVar {
  readonly title: string;
  /** The health check that must say so. */
  readonly check: string;
  readonly state: HealthState;
  spec(lab: BootLab): Promise<Partial<MachineSpec>>;
}

const brokenVars: readonly BrokenVar[] = [
  {
    title: 'there is no space on the disk to make it',
    check: 'var-disk',
    state: HealthState.DEGRADED,
    async spec({ release }) {
      const { size } = await stat(release.diskPath);
      return { diskSizeBytes: size };
    },
  },
  {
    title: 'its file system is corrupt beyond repair',
    check: 'var-disk',
    state: HealthState.DEGRADED,
    async spec({ toolbox, release, scratch }) {
      const disk = await copyWithVar(toolbox, release.diskPath, join(scratch, 'corrupt.raw'));
      await corruptVar(disk);
      return { disk: { kind: 'raw', path: disk.path } };
    },
  },
  {
    title: 'it has no free block and no free inode',
    check: 'var-space',
    state: HealthState.UNHEALTHY,
    async spec({ toolbox, release, scratch }) {
      const disk = await copyWithVar(toolbox, release.diskPath, join(scratch, 'full.raw'));
      await fillVar(toolbox, disk, scratch);
      return { disk: { kind: 'raw', path: disk.path } };
    },
  },
];

suite('a node whose /var cannot be used comes up and says so', () => {
  let lab: BootLab;

  before(async () => {
    // Services of a /var that is full find none of the folders that they may write to, and may make none above.
    lab = await openBootLab({ refusals: [/\{ (?:write|create) \} .* tcontext=\S+:var_t:\S+ tclass=dir/] });
  });
  after(() => lab[Symbol.asyncDispose]());

  for (const [index, { title, check, state, spec }] of brokenVars.entries()) {
    test(title, async () => {
      await using booted = await bootImage(lab, `var-${index}`, {
        title: `/var: ${title}`,
        expected: `up, health check ${check} fails`,
        spec: await spec(lab),
      });
      using client = lab.owner.connect(endpointOf(booted));
      const health = await settledHealth(
        client,
        (answer) => answer.state === state && verdictOf(answer.checks, check) === Verdict.FAIL,
      );
      assert.equal(verdictOf(health.checks, check), Verdict.FAIL);
      assert.equal(health.state, state);
      // It still tells about its boot, and what it cannot tell it names.
      const { bootId, phases, notObserved } = await client.getBootReport();
      assert.match(bootId, /^[0-9a-f-]{36}$/);
      if (!notObserved.some((part) => part.startsWith('phases:'))) assert.notEqual(phases.length, 0);
      // The verified system is untouched by what happens to its data.
      const { checks } = await client.getIntegrity();
      for (const id of ['secure-boot', 'root-verity', 'root-signature', 'root-corruption']) {
        assert.equal(verdictOf(checks, id), Verdict.PASS, id);
      }
    });
  }
});
