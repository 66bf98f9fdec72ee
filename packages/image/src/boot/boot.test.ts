import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { closeStub } from './close-stub.ts';
import { ipeLoading } from './ipe-loading.ts';
import { rootOpening } from './root-opening.ts';
import { veritySignatureJson } from './verity-signature.ts';

const NAME = 'io.systemd.stub.kernel-cmdline-extra\0';

test('closeStub blanks the name and nothing else', () => {
  const stub = Buffer.from(`MZ before ${NAME} after`, 'latin1');
  const closed = Buffer.from(closeStub(stub));
  assert.equal(closed.length, stub.length);
  assert.equal(closed.includes('io.systemd.stub'), false);
  assert.equal(closed.subarray(0, 10).equals(stub.subarray(0, 10)), true);
  assert.equal(closed.subarray(-6).equals(stub.subarray(-6)), true);
});

test('closeStub refuses a stub it does not know', () => {
  const unknown = (error: unknown) => error instanceof PlinthError && error.code === 'image/stub-unknown';
  assert.throws(() => closeStub(Buffer.from('MZ')), unknown);
  assert.throws(() => closeStub(Buffer.from(`${NAME}${NAME}`)), unknown);
});

const rootHash = '00112233445566778899aabbccddeeffff00ee11dd22cc33bb44aa5599668877';

test('rootOpening opens by signature under Secure Boot and by hash alone without', () => {
  const entries = rootOpening(rootHash, new Uint8Array([1, 2]), ['panic-on-corruption'], 'plinth_1.2.3');
  const text = (end: string) => {
    const entry = entries.find(({ path }) => path.endsWith(end));
    return entry?.kind === 'file' ? Buffer.from(entry.data).toString() : '';
  };
  assert.match(text('50-plinth.conf'), /^ConditionSecurity=uefi-secureboot$/m);
  const unsigned = text('plinth-root-unsigned.service');
  assert.match(unsigned, /^ConditionSecurity=!uefi-secureboot$/m);
  assert.match(
    unsigned,
    /attach root \/dev\/disk\/by-partuuid\/00112233-4455-6677-8899-aabbccddeeff \/dev\/disk\/by-partuuid\/ff00ee11-dd22-cc33-bb44-aa5599668877 00112233.* panic-on-corruption$/m,
  );
  assert.match(
    unsigned,
    /^BindsTo=dev-disk-by\\x2dpartuuid-00112233\\x2d4455\\x2d6677\\x2d8899\\x2daabbccddeeff\.device$/m,
  );
});

test('rootOpening makes all three partitions of the slot read-only, and boots without the third', () => {
  const entries = rootOpening(rootHash, new Uint8Array([1]), [], 'plinth_1.2.3');
  const entry = entries.find(({ path }) => path.endsWith('/plinth-root-read-only.service'));
  const text = entry?.kind === 'file' ? Buffer.from(entry.data).toString() : '';
  assert.match(
    text,
    /^ExecStart=\S+blockdev --setro \S+00112233-4455-6677-8899-aabbccddeeff \S+ff00ee11-dd22-cc33-bb44-aa5599668877$/m,
  );
  assert.match(text, /^ExecStart=-\S+blockdev --setro \/dev\/disk\/by-partlabel\/plinth_1\.2\.3_sig$/m);
  assert.match(text, /^Wants=dev-disk-by\\x2dpartlabel-plinth_1\.2\.3_sig\.device$/m);
  assert.ok(
    entries.some(
      ({ kind, path }) => kind === 'symlink' && path.endsWith('wants/plinth-root-read-only.service'),
    ),
  );
});

test('ipeLoading hands the policy over only where the kernel has a key for it, and then the boot depends on it', () => {
  const entries = new Map(ipeLoading(new Uint8Array([3])).map((entry) => [entry.path, entry]));
  const text = (path: string) => {
    const entry = entries.get(path);
    return entry?.kind === 'file' ? Buffer.from(entry.data).toString() : '';
  };
  const unit = text('usr/lib/systemd/system/plinth-ipe-policy.service');
  assert.match(unit, /^ConditionSecurity=uefi-secureboot$/m);
  assert.ok(entries.has('usr/lib/systemd/system/initrd.target.requires/plinth-ipe-policy.service'));
  const [, rules = ''] = /--create \/(\S+)$/m.exec(unit) ?? [];
  const [, target, source = ''] = /^C (\S+) .* \/(\S+)$/m.exec(text(rules)) ?? [];
  assert.equal(target, '/run/ipe/plinth.p7b');
  assert.equal(text(source), '\x03');
});

test('veritySignatureJson has the fields of UAPI.2', () => {
  const json = JSON.parse(veritySignatureJson(rootHash, new Uint8Array([1]), new Uint8Array([2]))) as Record<
    string,
    string
  >;
  assert.deepEqual(Object.keys(json), ['rootHash', 'certificateFingerprint', 'signature']);
  assert.equal(json['signature'], 'AQ==');
});
