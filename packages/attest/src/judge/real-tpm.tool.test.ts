import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fromHex, hex } from '@plinth/formats';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import { z } from 'zod';
import { ATTESTED_PCRS, extraDataOf } from '../challenge.ts';
import { readFirmwareLog } from '../log/read-firmware-log.ts';
import { readSystemLog } from '../log/read-system-log.ts';
import { recordedBoot } from '../testing/recorded-boot.ts';
import { type SoftTpm, startSoftTpm } from '../testing/soft-tpm.ts';
import { FIRMWARE_PCRS, judgeEvidence } from './judge-evidence.ts';

const boot = recordedBoot();
const events = [...readFirmwareLog(boot.firmwareLog).events, ...readSystemLog(boot.systemLog)];
let toolbox: Toolbox;
let soft: SoftTpm;

before(async () => {
  toolbox = await openToolbox();
  soft = await startSoftTpm(toolbox);
});
after(() => soft[Symbol.asyncDispose]());

test('a real TPM that measured what the logs tell passes; one more measurement, and it does not', async () => {
  for (const { pcr, sha256 } of events) await soft.extend(pcr, sha256);
  const ak = await soft.tpm.createAk();
  const known = {
    ...{ nodeId: boot.nodeId, akPublic: ak.publicArea, newestVersion: '' },
    firmware: new Map(FIRMWARE_PCRS.map((pcr) => [pcr, boot.registers.get(pcr) ?? ''])),
  };
  const attest = async () => {
    const binding = { nonce: new Uint8Array(randomBytes(32)), channel: new Uint8Array(randomBytes(32)) };
    const quote = await soft.tpm.quote(ak, extraDataOf({ ...binding, facts: boot.facts }), ATTESTED_PCRS);
    const registers = ATTESTED_PCRS.map((index) => ({
      ...{ index, sha256: fromHex(boot.registers.get(index) ?? '') ?? new Uint8Array() },
    }));
    const exchange = { ...binding, askedAtMs: 0, answeredAtMs: 1 };
    const evidence = { ...boot, ...quote, registers, akPublic: ak.publicArea };
    return judgeEvidence({ evidence, exchange, known, references: [boot.reference] });
  };
  const { verdict, findings } = await attest();
  assert.deepEqual(findings, []);
  assert.equal(verdict, 'pass');
  await soft.extend(13, hex(randomBytes(32)));
  assert.deepEqual(
    (await attest()).findings.map(({ reason }) => reason),
    ['other-registers'],
  );
});

const cel = z.array(
  z.looseObject({
    pcr: z.number(),
    digests: z.array(z.looseObject({ hashAlg: z.string(), digest: z.string() })),
  }),
);

test('systemd-pcrlock reads the same events from both logs', async () => {
  const inside = '/mnt/logs';
  const { stdout } = await toolbox.run('/usr/lib/systemd/systemd-pcrlock', ['cel'], {
    binds: [{ host: join(import.meta.dirname, '../__fixtures__'), inside, readOnly: true }],
    env: {
      SYSTEMD_MEASURE_LOG_FIRMWARE: `${inside}/firmware.log.bin`,
      SYSTEMD_MEASURE_LOG_USERSPACE: `${inside}/system.log.jsonseq`,
    },
  });
  const theirs = cel.parse(JSON.parse(stdout.toString('utf8'))).map(({ pcr, digests }) => {
    return [pcr, digests.find(({ hashAlg }) => hashAlg === 'sha256')?.digest];
  });
  assert.deepEqual(
    theirs,
    events.map(({ pcr, sha256 }) => [pcr, sha256]),
  );
});
