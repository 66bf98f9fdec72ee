import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { HealthState, Verdict } from '@plinth/api';
import type { MachineSpec } from '@plinth/local';
import { bootImage, endpointOf } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { extractKernel } from '../testkit/direct-kernel.ts';
import { settledHealth, verdictOf } from '../testkit/node-answers.ts';

suite('a machine that cannot verify its boot runs the image and says so', () => {
  let lab: BootLab;

  before(async () => {
    lab = await openBootLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  const machines: readonly [title: string, spec: () => Promise<Partial<MachineSpec>>][] = [
    ['UEFI without Secure Boot', async () => ({ firmware: 'uefi' })],
    [
      'BIOS without a TPM',
      async () => ({
        firmware: 'bios',
        tpm: false,
        directKernel: await extractKernel(lab.release.ukiPath, join(lab.scratch, 'direct')),
      }),
    ],
  ];
  for (const [index, [title, spec]] of machines.entries()) {
    test(title, async () => {
      const name = `posture-${index}`;
      const expected = 'up, with Secure Boot as failed';
      await using booted = await bootImage(lab, name, { title, expected, spec: await spec() });
      using client = lab.owner.connect(endpointOf(booted));
      const { verdict, checks } = await client.getIntegrity();
      assert.equal(verdict, Verdict.FAIL);
      assert.equal(verdictOf(checks, 'secure-boot'), Verdict.FAIL);
      // What does not hang on the firmware still holds.
      for (const id of ['root-verity', 'root-hash', 'root-corruption', 'write-root', 'lockdown']) {
        assert.equal(verdictOf(checks, id), Verdict.PASS, id);
      }
      const health = await settledHealth(client);
      assert.equal(health.state, HealthState.HEALTHY, 'a lower posture is no fault of the node');
    });
  }
});
