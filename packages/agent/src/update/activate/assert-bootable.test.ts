import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { after, suite, test } from 'node:test';
import { encodeSignatureLists } from '@plinth/formats';
import { makeAuthority } from '../../testing/authority.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import { assertBootable } from './assert-bootable.ts';

const SECURE_BOOT = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';
const DB = '/sys/firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f';
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
  firmware: { readonly keys?: readonly Buffer[]; readonly secureBoot?: number; readonly noUefi?: true } = {},
): Promise<string> {
  const { keys = [der(authority.certificatePem)], secureBoot = 1 } = firmware;
  const lists = encodeSignatureLists(
    keys.map((certificateDer) => ({ ownerGuid: '00000000-0000-4000-8000-000000000001', certificateDer })),
  );
  const attributes = Buffer.alloc(4);
  const files = {
    [SECURE_BOOT]: Buffer.concat([attributes, Buffer.from([secureBoot])]),
    ...(keys.length > 0 && { [DB]: Buffer.concat([attributes, lists]) }),
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

  test('keys that cannot be read are no reason to believe; without Secure Boot nothing is asked', async () => {
    assert.match(await judge(good, { keys: [] }), /keys of the firmware cannot be read/);
    assert.equal(await judge(plain, { secureBoot: 0 }), 'starts');
    assert.equal(await judge(plain, { noUefi: true }), 'starts');
  });
});
