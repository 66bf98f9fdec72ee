import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCryptTable } from './crypt-table.ts';

test('parseCryptTable reads cipher and size of the key, wherever the key lies', () => {
  const keyring =
    '0 41902080 crypt aes-xts-plain64 :64:logon:cryptsetup:0b1f-d0 0 254:8 32768 1 sector_size:4096\n';
  assert.deepEqual(parseCryptTable(keyring), { cipher: 'aes-xts-plain64', keyBits: 512 });
  const hidden = `0 2048 crypt aes-xts-plain64 ${'0'.repeat(128)} 0 254:8 32768`;
  assert.deepEqual(parseCryptTable(hidden), { cipher: 'aes-xts-plain64', keyBits: 512 });
});

test('parseCryptTable takes nothing else for encryption', () => {
  for (const text of [
    '',
    '0 2048 linear 254:8 0\n',
    '0 2048 linear 254:8 0\n2048 9 crypt aes-xts-plain64 - 0 254:8 0\n',
    '0 2048 crypt aes-xts-plain64 - 0 254:8 0\n2048 9 linear 254:8 0\n',
    '9 2048 crypt aes-xts-plain64 - 0 254:8 0\n',
  ])
    assert.equal(parseCryptTable(text), undefined, text);
});
