import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { concatBytes, hex } from '@plinth/formats';
import fc from 'fast-check';
import { readExtensions } from './der-extensions.ts';
import type { GuestVerdict } from './guest-verdict.ts';
import { type GuestReportInputs, judgeGuestReport } from './judge-guest-report.ts';
import { INTEL_ROOTS, verifyMakerChain } from './maker-chain.ts';

// Reports that processors made, recorded by others; see __fixtures__/confidential. Nothing here ran on such a processor.

const folder = join(import.meta.dirname, '../__fixtures__/confidential');
const bytes = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
const text = (name: string) => readFileSync(join(folder, name), 'utf8');
const nowMs = Date.UTC(2024, 0, 1);
const snp = bytes('snp-report.bin');
const tdx = bytes('tdx-quote-v4.bin');

function judge(report: Uint8Array, more: Partial<GuestReportInputs> = {}): GuestVerdict {
  return judgeGuestReport({ report, chainPem: text('snp-chain.pem'), expected: {}, nowMs, ...more });
}

const reasons = ({ findings }: GuestVerdict) => [...new Set(findings.map(({ reason }) => reason))];

/** The bytes with one changed. */
function changed(report: Uint8Array, at: number): Uint8Array {
  const other = report.slice();
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
}

test('a recorded SEV-SNP report is genuine, and refused for the debugging that its policy allows', () => {
  const verdict = judge(snp);
  assert.deepEqual(reasons(verdict), ['debug-allowed']);
  assert.equal(verdict.facts?.measurement.length, 96);
  assert.deepEqual(Object.fromEntries(verdict.facts?.more ?? [])['root'], 'ARK-Milan');
  assert.ok(verdict.notChecked.length > 0);
});

test('a changed SEV-SNP report, another chip and other authorities are refused', () => {
  for (const at of [0x50, 0x90, 0x1a0, 0x180, 0x2a0]) {
    assert.ok(reasons(judge(changed(snp, at))).includes('bad-signature'), `byte ${at}`);
  }
  const [vcek = '', ask = '', ark = ''] =
    text('snp-chain.pem').match(/-----BEGIN[\s\S]+?END CERTIFICATE-----/g) ?? [];
  assert.ok(
    reasons(judge(snp, { chainPem: [vcek, text('snp-genoa.pem')].join('\n') })).includes('unknown-authority'),
  );
  assert.ok(reasons(judge(snp, { chainPem: [vcek, ask].join('\n') })).includes('unknown-authority'));
  assert.ok(reasons(judge(snp, { chainPem: '' })).includes('malformed'));
  assert.ok(reasons(judge(snp, { nowMs: Date.UTC(2040, 0, 1) })).includes('expired'));
  // In any order behind the chip's own.
  assert.deepEqual(reasons(judge(snp, { chainPem: [vcek, ark, ask].join('\n') })), ['debug-allowed']);
  assert.ok(reasons(judge(snp, { chainPem: [ask, ark, vcek].join('\n') })).includes('bad-signature'));
});

test('extensions of a VCEK are read as openssl shows them', () => {
  const [pem = ''] = text('snp-chain.pem').match(/-----BEGIN[\s\S]+?END CERTIFICATE-----/) ?? [];
  const extensions = readExtensions(new Uint8Array(new X509Certificate(pem).raw));
  assert.equal(extensions.size, 11);
  assert.equal(hex(extensions.get('2b060104019c780104') ?? new Uint8Array()), hex(snp.slice(0x1a0, 0x1e0)));
});

test('a recorded TDX quote is genuine: unknown as long as nothing is expected, pass for what it says', () => {
  const genuine = judge(tdx);
  assert.deepEqual(genuine.findings, []);
  assert.equal(genuine.verdict, 'unknown');
  const { measurement = '', reportData = '' } = genuine.facts ?? {};
  assert.equal(judge(tdx, { expected: { measurement, reportData } }).verdict, 'pass');
  assert.equal(judge(tdx, { expected: { measurement } }).verdict, 'unknown');
  const other = '0'.repeat(96);
  assert.deepEqual(reasons(judge(tdx, { expected: { measurement: other, reportData } })), [
    'other-measurement',
  ]);
  const replayed = judge(tdx, { expected: { measurement, reportData: 'ff'.repeat(64) } });
  assert.deepEqual(reasons(replayed), ['not-for-this-challenge']);
});

test('a changed TDX quote is refused wherever the change is', () => {
  const certificatesAt = Buffer.from(tdx).indexOf('-----BEGIN');
  for (const at of [
    8,
    0x30 + 0x88,
    0x30 + 0x208,
    0x27c + 1,
    0x27c + 65,
    0x27c + 128 + 6 + 10,
    certificatesAt - 200,
  ]) {
    assert.ok(reasons(judge(changed(tdx, at))).includes('bad-signature'), `byte ${at}`);
  }
  assert.ok(reasons(judge(changed(tdx, 2))).includes('unsupported'));
  assert.deepEqual(reasons(judge(tdx, { roots: new Map() })), ['unknown-authority']);
});

test('a TDX quote of version 5 has another body, which is signed with its kind and size', async () => {
  const { quote, roots, reportData, measurement } = await versionFive();
  const expected = { measurement, reportData };
  assert.deepEqual(judge(quote, { roots, expected, nowMs: Date.now() }).findings, []);
  assert.equal(judge(quote, { roots, expected, nowMs: Date.now() }).verdict, 'pass');
  assert.deepEqual(
    reasons(judge(quote, { nowMs: Date.now() })),
    ['unknown-authority'],
    'by a maker of the test',
  );
  for (const at of [48, 50, 54 + 0x88, 54 + 647]) {
    assert.equal(judge(changed(quote, at), { roots, nowMs: Date.now() }).verdict, 'fail', `byte ${at}`);
  }
});

/** A quote of version 5 with a body of TDX 1.5: the recorded one's parts, signed by keys and a maker of the test. */
async function versionFive() {
  const measurement = createHash('sha384').update('a guest').digest('hex');
  const body = concatBytes([tdx.slice(0x30, 0x30 + 584), new Uint8Array(64)]);
  body.set(Buffer.from(measurement, 'hex'), 0x88);
  const header = concatBytes([Uint8Array.of(5), tdx.slice(1, 48)]);
  const signed = concatBytes([header, u16(3), u32(body.length), body]);
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = own.publicKey.export({ format: 'jwk' });
  const key = new Uint8Array(Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]));
  const { certificate, privateKey } = await maker();
  const qeData = Uint8Array.of(1, 2, 3);
  const qeReport = new Uint8Array(384);
  qeReport.set(
    createHash('sha256')
      .update(concatBytes([key, qeData]))
      .digest(),
    0x140,
  );
  const chain = new Uint8Array(Buffer.from(certificate));
  const qe = concatBytes([
    ...[qeReport, signedBy(privateKey, qeReport), u16(qeData.length), qeData],
    ...[u16(5), u32(chain.length), chain],
  ]);
  const data = concatBytes([signedBy(own.privateKey, signed), key, u16(6), u32(qe.length), qe]);
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return {
    quote: concatBytes([signed, u32(data.length), data]),
    roots: new Map([[createHash('sha256').update(spki).digest('hex'), 'a maker']]),
    reportData: hex(body.slice(0x208, 0x248)),
    measurement,
  };
}

/** A maker of processors, by the openssl program. */
async function maker() {
  const scratch = await mkdtemp(join(tmpdir(), 'plinth-maker-'));
  try {
    const options = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
    const args = [
      'req',
      '-x509',
      ...options,
      '-subj',
      '/CN=maker',
      '-keyout',
      'key.pem',
      '-out',
      'maker.pem',
    ];
    execFileSync('openssl', args, { cwd: scratch, stdio: 'pipe' });
    const read = (name: string) => readFileSync(join(scratch, name), 'utf8');
    return { certificate: read('maker.pem'), privateKey: createPrivateKey(read('key.pem')) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function signedBy(key: KeyObject, content: Uint8Array): Uint8Array {
  return new Uint8Array(sign('sha256', content, { key, dsaEncoding: 'ieee-p1363' }));
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

function u32(value: number): Uint8Array {
  return concatBytes([u16(value & 0xffff), u16(value >>> 16)]);
}

test("the maker's chain of the recorded quote ends in its root, and nowhere else", () => {
  const at = Buffer.from(tdx).indexOf('-----BEGIN');
  const pem = Buffer.from(tdx.slice(at)).toString('latin1');
  const { root, findings } = verifyMakerChain(pem, INTEL_ROOTS, nowMs);
  assert.deepEqual([root, findings], ['Intel SGX Root CA', []]);
});

test('a certificate whose key cannot be decoded is a verdict too', () => {
  const pem = Buffer.from(tdx.slice(Buffer.from(tdx).indexOf('-----BEGIN'))).toString('latin1');
  const first = pem.slice(0, pem.indexOf('-----END'));
  // The point of an elliptic curve: 04 in front says that both its numbers follow, 05 says nothing.
  const der = Buffer.from(first.split('\n').slice(1).join(''), 'base64');
  const point = der.indexOf(Buffer.from('03420004', 'hex')) + 3;
  assert.ok(point > 3);
  der[point] = 5;
  const other = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n${pem.slice(first.length)}`;
  const { findings } = verifyMakerChain(other, INTEL_ROOTS, nowMs);
  assert.deepEqual(
    findings.map(({ reason }) => reason),
    ['malformed'],
  );
});

test('any bytes at all end in a verdict, and no change of a signed byte passes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (report) => {
      assert.equal(judge(report).verdict, 'fail');
    }),
  );
  fc.assert(
    fc.property(
      fc.nat(tdx.length - 1),
      fc.constantFrom(1, 0x80),
      fc.integer({ min: 0, max: 2 }),
      (at, mask, cut) => {
        const other = tdx.slice(0, cut === 0 ? tdx.length : at);
        other[at % Math.max(1, other.length)] = (other[at % Math.max(1, other.length)] ?? 0) ^ mask;
        const { verdict, facts } = judge(other);
        // What is not signed by anybody (sizes behind the certificates, spaces in them) may be anything, and changes nothing.
        if (verdict !== 'fail') assert.deepEqual(facts, judge(tdx).facts);
      },
    ),
    { numRuns: 300 },
  );
});
