import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { encodeText, extendPcr, fromHex, hex, PCR_RESET, sha256 } from '@plinth/formats';
import fc from 'fast-check';
import type { Reference } from '../reference/reference.ts';
import { paperEvidence, paperTpm } from '../testing/paper-tpm.ts';
import { recordedBoot, registersOf } from '../testing/recorded-boot.ts';
import { FIRMWARE_PCRS, type JudgeInputs, judgeEvidence } from './judge-evidence.ts';
import type { EvidenceParts, KnownNode, Reason } from './judgement.ts';

const boot = recordedBoot();
const tpm = paperTpm();
const exchange = {
  ...{ nonce: new Uint8Array(randomBytes(32)), channel: new Uint8Array(randomBytes(32)) },
  ...{ askedAtMs: 1000, answeredAtMs: 3000 },
};
const known: KnownNode = {
  ...{ nodeId: boot.nodeId, akPublic: tpm.akPublic, newestVersion: '' },
  firmware: new Map(FIRMWARE_PCRS.map((pcr) => [pcr, boot.registers.get(pcr) ?? ''])),
};
const good = paperEvidence(tpm, exchange, boot);

function judge(changes: Partial<JudgeInputs> = {}) {
  return judgeEvidence({ evidence: good, exchange, known, references: [boot.reference], ...changes });
}

function reasons(changes: Partial<JudgeInputs>): readonly Reason[] {
  const { verdict, findings } = judge(changes);
  assert.equal(verdict, 'fail');
  return [...new Set(findings.map(({ reason }) => reason))];
}

/** Evidence of a machine whose logs are these: its registers fit them. */
function bootedWith(
  parts: Partial<Pick<EvidenceParts, 'firmwareLog' | 'systemLog' | 'facts'>>,
): EvidenceParts {
  const all = { ...boot, ...parts };
  return paperEvidence(tpm, exchange, { ...all, registers: registersOf(all.firmwareLog, all.systemLog) });
}

/** Exchanges a digest in a log; the same length, so all else stays. */
function replaceDigest(log: Uint8Array, from: string, to: string): Uint8Array {
  const text = Buffer.from(log).toString('hex');
  assert.equal(text.split(from).length, 2, 'the digest is in the log once');
  return new Uint8Array(Buffer.from(text.replace(from, to), 'hex'));
}

function digestOf(pcr: number, what: string): string {
  const register = boot.reference.registers.find((each) => each.pcr === pcr);
  const event = register?.events.find((each) => each.what === what);
  assert.ok(event && 'sha256' in event, what);
  return event.sha256;
}

const OTHER = hex(sha256(encodeText('something else')));

test('a real boot passes: each event of the registers of a release is as foreseen', () => {
  const { verdict, findings, compared, release, notCompared, facts } = judge();
  assert.deepEqual(findings, []);
  assert.equal(verdict, 'pass');
  assert.equal(release?.version, '0.1.0');
  assert.equal(compared.filter(({ state }) => state === 'same').length, compared.length);
  assert.deepEqual([...new Set(compared.map(({ pcr }) => pcr))], [4, 7, 9, 11, 15]);
  assert.deepEqual(notCompared, [1, 5, 6]);
  assert.equal(facts?.lockdown, 'integrity');
});

test('replay, relay over another connection, and edited facts are refused', () => {
  const other = (part: 'nonce' | 'channel') => ({ ...exchange, [part]: new Uint8Array(randomBytes(32)) });
  for (const part of ['nonce', 'channel'] as const) {
    assert.deepEqual(reasons({ exchange: other(part) }), ['not-for-this-challenge'], part);
  }
  const facts = encodeText(Buffer.from(boot.facts).toString('utf8').replace('"on"', '"ok"'));
  assert.deepEqual(reasons({ evidence: { ...good, facts } }), ['not-for-this-challenge']);
});

test('a stale answer is refused, however good', () => {
  assert.equal(judge({ exchange: { ...exchange, answeredAtMs: 31_000 } }).verdict, 'pass');
  assert.deepEqual(reasons({ exchange: { ...exchange, answeredAtMs: 31_001 } }), ['stale']);
  assert.deepEqual(reasons({ exchange: { ...exchange, answeredAtMs: 999 } }), ['stale']);
});

test("another machine's quote is refused, with its own key and with the key of this one", () => {
  const other = paperTpm();
  const evidence = paperEvidence(other, exchange, boot);
  assert.deepEqual(reasons({ evidence }), ['other-machine']);
  assert.deepEqual(reasons({ evidence: { ...evidence, akPublic: tpm.akPublic } }), ['bad-signature']);
});

test('an edited log is refused, and so are other registers than those signed', () => {
  const uki = digestOf(4, 'UKI');
  const firmwareLog = replaceDigest(boot.firmwareLog, uki, OTHER);
  const edited = judge({ evidence: { ...good, firmwareLog } });
  assert.ok(edited.findings.some(({ reason, pcr }) => reason === 'log-edited' && pcr === 4));
  const registers = good.registers.map((each) =>
    each.index === 4 ? { ...each, sha256: fromHex(OTHER) ?? PCR_RESET } : each,
  );
  assert.ok(reasons({ evidence: { ...good, registers } }).includes('other-registers'));
  assert.ok(reasons({ evidence: { ...good, registers: registers.slice(1) } }).includes('other-registers'));
});

test('a log that hides the way to a tampered register is refused', () => {
  // The TPM has one more measurement than the logs tell of.
  const registers = new Map(boot.registers);
  registers.set(13, hex(extendPcr(PCR_RESET, fromHex(OTHER) ?? PCR_RESET)));
  const evidence = paperEvidence(tpm, exchange, { ...boot, registers });
  assert.deepEqual(reasons({ evidence }), ['log-edited']);
});

test('an unknown event is refused, and the difference says what was there instead', () => {
  for (const [pcr, what] of [
    [4, 'UKI'],
    [9, 'kernel command line'],
    [9, 'initrd'],
    [11, 'section .cmdline'],
    [7, 'variable db'],
  ] as const) {
    const firmwareLog = replaceDigest(boot.firmwareLog, digestOf(pcr, what), OTHER);
    const { findings, compared } = judge({ evidence: bootedWith({ firmwareLog }) });
    assert.deepEqual(findings.map(({ reason }) => reason).sort(), ['missing-event', 'unknown-event'], what);
    const rows = compared.filter(({ state }) => state !== 'same');
    assert.deepEqual(
      rows.map(({ pcr: at, state, expected, found }) => [at, state, expected ?? found]),
      [
        [pcr, 'missing', digestOf(pcr, what)],
        [pcr, 'unexpected', OTHER],
      ],
    );
  }
});

test('credentials and extensions beside the UKI are unknown events', () => {
  const record = (pcr: number, text: string) => {
    const digest = hex(sha256(encodeText(text)));
    const digests = [{ hashAlg: 'sha256', digest }];
    return `\u001e${JSON.stringify({ pcr, digests, content: { string: text, eventType: 'test' } })}\n`;
  };
  for (const pcr of [12, 13, 14, 8, 15]) {
    const systemLog = encodeText(Buffer.from(boot.systemLog).toString('utf8') + record(pcr, 'foreign'));
    assert.deepEqual(reasons({ evidence: bootedWith({ systemLog }) }), ['unknown-event'], `PCR ${pcr}`);
  }
  // A soft-reboot is known by its root; to a root of no given release it is refused, and so is a root that was not measured.
  const go = (root: string) =>
    bootedWith({
      systemLog: encodeText(
        Buffer.from(boot.systemLog).toString('utf8') + record(15, `plinth-nextroot:${root}`),
      ),
    });
  assert.deepEqual(reasons({ evidence: go(OTHER) }), ['other-root']);
  assert.equal(judge({ evidence: go(boot.reference.rootHash) }).verdict, 'pass');
});

test('a boot that is not through yet passes, one that skipped a phase does not', () => {
  const records = Buffer.from(boot.systemLog).toString('utf8').split('\u001e');
  const without = (word: string) =>
    encodeText(records.filter((text) => !text.includes(`"${word}"`)).join('\u001e'));
  assert.equal(judge({ evidence: bootedWith({ systemLog: without('ready') }) }).verdict, 'pass');
  assert.deepEqual(reasons({ evidence: bootedWith({ systemLog: without('leave-initrd') }) }), [
    'missing-event',
  ]);
});

test('Secure Boot off is refused by name', () => {
  const on = digestOf(7, 'variable SecureBoot');
  const at = Buffer.from(boot.firmwareLog).indexOf(Buffer.from('SecureBoot', 'utf16le')) + 20;
  const off = boot.firmwareLog.slice();
  assert.equal(off[at], 1);
  off[at] = 0;
  // What the firmware measures then: the same variable with another content.
  const variable = off.slice(at - 52, at + 1);
  const firmwareLog = replaceDigest(off, on, hex(sha256(variable)));
  assert.ok(reasons({ evidence: bootedWith({ firmwareLog }) }).includes('secure-boot-off'));
});

test('a downgrade is refused although the release is sound, unless it is allowed', () => {
  const newer = { ...known, newestVersion: '0.2.0' };
  assert.deepEqual(reasons({ known: newer }), ['downgrade']);
  assert.equal(judge({ known: newer, olderAllowed: true }).verdict, 'pass');
  assert.equal(judge({ known: { ...known, newestVersion: '0.1.0' } }).verdict, 'pass');
});

test('of several releases the one that fits is taken; without one there is no pass', () => {
  const other: Reference = {
    ...boot.reference,
    version: '0.2.0',
    registers: boot.reference.registers.map((register) =>
      register.pcr === 4 ? { ...register, events: [{ what: 'UKI', sha256: OTHER }] } : register,
    ),
  };
  assert.equal(judge({ references: [other, boot.reference] }).release?.version, '0.1.0');
  assert.ok(reasons({ references: [other] }).includes('unknown-event'));
  assert.deepEqual(reasons({ references: [] }), ['no-reference']);
});

test('another firmware, another node and another root are refused', () => {
  assert.deepEqual(reasons({ known: { ...known, firmware: new Map([...known.firmware, [0, OTHER]]) } }), [
    'firmware-changed',
  ]);
  assert.deepEqual(reasons({ known: { ...known, nodeId: '0'.repeat(32) } }), ['other-node']);
  const facts = JSON.parse(Buffer.from(boot.facts).toString('utf8'));
  const running = encodeText(JSON.stringify({ ...facts, rootHash: OTHER }));
  assert.deepEqual(reasons({ evidence: bootedWith({ facts: running }) }), ['other-root']);
  assert.deepEqual(reasons({ evidence: bootedWith({ facts: encodeText('{}') }) }), ['malformed']);
});

test('no single change of a byte of the evidence passes, and none breaks the judge', () => {
  const parts = ['quoted', 'signature', 'akPublic', 'firmwareLog', 'facts'] as const;
  fc.assert(
    fc.property(
      fc.constantFrom(...parts),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (part, place, mask) => {
        const bytes = good[part].slice();
        const at = place % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ mask;
        const { verdict } = judge({ evidence: { ...good, [part]: bytes } });
        // In the log of the firmware only digests are proven; what it says of them in words may be anything.
        if (part !== 'firmwareLog') assert.equal(verdict, 'fail', `${part} at ${at}`);
      },
    ),
    { numRuns: 300 },
  );
});

test('evidence of any bytes at all is a verdict, not an exception', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(bytes, bytes, bytes, bytes, (quoted, signature, firmwareLog, systemLog) => {
      const evidence = { ...good, quoted, signature, firmwareLog, systemLog };
      assert.equal(judge({ evidence }).verdict, 'fail');
    }),
  );
});
