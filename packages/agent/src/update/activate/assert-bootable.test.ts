import assert from 'node:assert/strict';
import { createHash, hash, X509Certificate } from 'node:crypto';
import { after, suite, test } from 'node:test';
import { EFI_LIST_TYPES, encodeSignatureLists } from '@plinth/formats';
import { makeAuthority } from '../../testing/authority.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import { assertBootable } from './assert-bootable.ts';

const SECURE_BOOT = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';
const DB = '/sys/firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f';
const DBX = '/sys/firmware/efi/efivars/dbx-d719b2cb-3d3a-4596-a3bc-dad00e67656f';
/** The dbx that comes with OVMF and Microsoft's keys: one hash. */
const OVMF_DBX = Buffer.from(
  'JhbEwUxQkkCsqUH5NpNDKEwAAAAAAAAAMAAAAKOouqAdBKhIvIfDbRIbXj3jsMRCmPwcFJr79MiZb7kkJ65B5GSbk0yklZkbeFK4VQ==',
  'base64',
);
const TABLE_AT = 600 * 1024;

const authority = makeAuthority('boot authority');
const stranger = makeAuthority('another authority');
after(() => {
  authority[Symbol.dispose]();
  stranger[Symbol.dispose]();
});
const der = (pem: string) => new X509Certificate(pem).raw;
const leaf = der(authority.issue({}).certificatePem);

/** A program for firmware, without a signature; the file's end is that of the program. */
function program(): Buffer {
  const file = Buffer.alloc(TABLE_AT);
  for (let at = 4096; at < TABLE_AT; at += 512) file.writeUInt32LE(at, at);
  file.writeUInt16LE(0x5a4d, 0);
  file.writeUInt32LE(64, 0x3c);
  file.writeUInt32LE(0x4550, 64);
  const optional = 64 + 24;
  file.writeUInt16LE(0x20b, optional);
  file.writeUInt32LE(4096, optional + 60);
  file.writeUInt32LE(16, optional + 108);
  return file;
}

/** What a signature covers, counted by hand: all but the checksum, the directory entry and the table. */
function digestOf(file: Buffer): Buffer {
  const optional = 64 + 24;
  const hash = createHash('sha256').update(file.subarray(0, optional + 64));
  hash.update(file.subarray(optional + 68, optional + 112 + 32));
  return hash.update(file.subarray(optional + 112 + 40, TABLE_AT)).digest();
}

/** Puts a signature at the end of a program, as far as it is looked at: the digest, then certificates. */
function signed(file: Buffer, digest: Buffer, ...certificates: Buffer[]): Buffer {
  const blob = Buffer.concat([Buffer.from('a head of CMS'), digest, ...certificates, Buffer.from('0')]);
  const entry = Buffer.alloc(Math.ceil((8 + blob.length) / 8) * 8);
  entry.writeUInt32LE(8 + blob.length, 0);
  entry.writeUInt16LE(0x200, 4);
  entry.writeUInt16LE(2, 6);
  blob.copy(entry, 8);
  const whole = Buffer.concat([file, entry]);
  whole.writeUInt32LE(TABLE_AT, 64 + 24 + 112 + 32);
  whole.writeUInt32LE(entry.length, 64 + 24 + 112 + 36);
  return whole;
}

async function judge(
  file: Buffer,
  firmware: {
    readonly keys?: readonly Buffer[];
    readonly secureBoot?: number;
    readonly noUefi?: true;
    /** Behind the certificates in db, and all of dbx. */
    readonly alsoAllowed?: Buffer;
    readonly forbidden?: Buffer;
  } = {},
): Promise<string> {
  const { keys = [der(authority.certificatePem)], secureBoot = 1 } = firmware;
  const lists = encodeSignatureLists(
    keys.map((certificateDer) => ({ ownerGuid: '00000000-0000-4000-8000-000000000001', certificateDer })),
  );
  const attributes = Buffer.alloc(4);
  const files = {
    [SECURE_BOOT]: Buffer.concat([attributes, Buffer.from([secureBoot])]),
    ...(keys.length > 0 && {
      [DB]: Buffer.concat([attributes, lists, firmware.alsoAllowed ?? Buffer.alloc(0)]),
    }),
    ...(firmware.forbidden && { [DBX]: Buffer.concat([attributes, firmware.forbidden]) }),
  };
  const uki = {
    sizeBytes: file.length,
    read: async (at: number, length: number) => file.subarray(at, at + length),
  };
  try {
    await assertBootable(fakeSys({ files: firmware.noUefi ? {} : files }), uki, '1.1');
    return 'starts';
  } catch (reason) {
    assert.ok(reason instanceof Error && 'code' in reason);
    assert.equal(reason.code, 'update/uki-not-trusted');
    return reason.message;
  }
}

/** A list of entries of one kind, as firmware keeps it. */
function list(type: string, ...entries: Buffer[]): Buffer {
  const guid = Buffer.from(type.replaceAll('-', ''), 'hex');
  guid.subarray(0, 4).reverse();
  guid.subarray(4, 6).reverse();
  guid.subarray(6, 8).reverse();
  const owner = Buffer.alloc(16, 1);
  const body = Buffer.concat(entries.flatMap((entry) => [owner, entry]));
  const head = Buffer.alloc(28);
  guid.copy(head);
  head.writeUInt32LE(head.length + body.length, 16);
  head.writeUInt32LE(16 + (entries[0]?.length ?? 0), 24);
  return Buffer.concat([head, body]);
}

suite('whether the firmware would start a kernel image', () => {
  const plain = program();
  const good = signed(plain, digestOf(plain), leaf);

  test('signed by a certificate it has, or by one that its authority has issued', async () => {
    assert.equal(await judge(good), 'starts');
    assert.equal(await judge(good, { keys: [leaf] }), 'starts');
    assert.equal(await judge(good, { keys: [der(stranger.certificatePem), leaf] }), 'starts');
  });

  test('signed by a key that it does not have', async () => {
    assert.match(await judge(good, { keys: [der(stranger.certificatePem)] }), /has no key/);
    const foreign = signed(plain, digestOf(plain), der(stranger.issue({}).certificatePem));
    assert.match(await judge(foreign), /has no key/);
  });

  test('a bit is over that was not when it was signed', async () => {
    for (const at of [100, 5000, TABLE_AT - 1]) {
      const damaged = Buffer.from(good);
      damaged.writeUInt8((damaged[at] ?? 0) ^ 1, at);
      assert.match(await judge(damaged), /no signature is over its bytes/);
    }
  });

  test('not signed, cut off, or no program at all', async () => {
    assert.match(await judge(plain), /it is not signed/);
    assert.match(await judge(good.subarray(0, good.length - 8)), /cannot be told/);
    assert.match(await judge(Buffer.alloc(10)), /cannot be told/);
    assert.match(await judge(Buffer.alloc(5000)), /cannot be told/);
  });

  test('forbidden by its hash, by a certificate, by one that has issued it, or by the hash of one', async () => {
    const { imageHash, certificate, certificateHash } = EFI_LIST_TYPES;
    const revoked = (algorithm: string, of: Buffer) => {
      const inner = of.subarray(4, 8 + of.readUInt16BE(6));
      return Buffer.concat([hash(algorithm, inner, 'buffer'), Buffer.alloc(16)]);
    };
    const other = der(stranger.certificatePem);
    const digest = digestOf(plain);
    const judged = (forbidden: Buffer) => judge(good, { forbidden });
    assert.match(await judged(list(imageHash, Buffer.alloc(32), digest)), /forbids its very bytes/);
    for (const forbidden of [
      list(certificate, leaf),
      Buffer.concat([OVMF_DBX, list(certificate, der(authority.certificatePem))]),
      list(certificateHash.sha256, revoked('sha256', other), revoked('sha256', leaf)),
      list(certificateHash.sha384, revoked('sha384', leaf)),
      list(certificateHash.sha512, revoked('sha512', leaf)),
    ])
      assert.match(await judged(forbidden), /forbids a certificate/);
    for (const forbidden of [
      OVMF_DBX,
      list(imageHash, Buffer.alloc(32)),
      list(certificate, other),
      list(certificateHash.sha256, revoked('sha256', other)),
    ])
      assert.equal(await judged(forbidden), 'starts');
    assert.match(await judged(OVMF_DBX.subarray(0, 40)), /cannot be told/);
  });

  test('allowed by the hash of its bytes alone, unless that is forbidden as well', async () => {
    const alsoAllowed = list(EFI_LIST_TYPES.imageHash, digestOf(plain));
    assert.equal(await judge(plain, { alsoAllowed }), 'starts');
    assert.match(await judge(plain, { alsoAllowed, forbidden: alsoAllowed }), /forbids its very bytes/);
    const another = list(EFI_LIST_TYPES.imageHash, Buffer.alloc(32, 9));
    assert.match(await judge(plain, { alsoAllowed: another }), /it is not signed/);
  });

  test('keys that cannot be read are no reason to believe; without Secure Boot nothing is asked', async () => {
    assert.match(await judge(good, { keys: [] }), /keys of the firmware cannot be read/);
    assert.equal(await judge(plain, { secureBoot: 0 }), 'starts');
    assert.equal(await judge(plain, { noUefi: true }), 'starts');
  });
});
