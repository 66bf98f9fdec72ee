import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeSys } from '../testing/fake-sys.ts';
import { soundNode } from '../testing/sound-node.ts';
import { parseSignature, slotSignatureCheck } from './slot-signature.ts';

const judge = (files: Readonly<Record<string, string>>) => {
  const node = soundNode();
  return slotSignatureCheck.observe(fakeSys({ ...node, files: { ...node.files, ...files } }));
};

test('the signature that opened the root passes', async () => {
  assert.equal((await judge({})).verdict, 'pass');
});

test('another signature, another root hash and rotten bytes fail', async () => {
  const stored = String(soundNode().files['/dev/vda4']);
  assert.equal((await judge({ '/run/plinth/root.p7s': 'other' })).verdict, 'fail');
  assert.equal((await judge({ '/dev/vda4': stored.replace('4f4f', '4f4e') })).verdict, 'fail');
  assert.equal((await judge({ '/dev/vda4': stored.replace('{', '[') })).verdict, 'fail');
});

test('without the signature that was used nothing can be said', async () => {
  const node = soundNode();
  const { '/run/plinth/root.p7s': _, ...files } = node.files;
  assert.equal((await slotSignatureCheck.observe(fakeSys({ ...node, files }))).verdict, 'unknown');
});

test('parseSignature takes nothing that is no signature', () => {
  for (const text of ['', 'null', '[]', '{"rootHash":1,"signature":"x"}', '\0']) {
    assert.equal(parseSignature(Buffer.from(text)), undefined, text);
  }
});
