import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import fc from 'fast-check';
import {
  currentUpdateKeys,
  readUpdateKeyRing,
  type UpdateKey,
  type UpdateKeyRing,
  updateKeyPath,
  writeUpdateKeyRing,
} from './update-key-ring.ts';
import { type UpdateRole, updateRoleNames } from './update-roles.ts';
import { newUpdateKey, openUpdateSigners } from './update-signer.ts';

const folder = await scratchFolder('update-keys');
const now = new Date('2026-11-22T10:00:00Z');
const keys: UpdateKey[] = [];
for (const role of [...updateRoleNames, 'root' as const])
  keys.push(await newUpdateKey(folder, role, { now }));
const ring: UpdateKeyRing = {
  format: 1,
  created: now.toISOString(),
  rootVersion: 1,
  thresholds: { root: 2, targets: 1, images: 1, snapshot: 1, timestamp: 1 },
  keys,
};
await writeUpdateKeyRing(folder, ring);

test('a ring is read as it was written; a folder without one has none', async () => {
  assert.deepEqual(await readUpdateKeyRing(folder), ring);
  assert.equal(await readUpdateKeyRing(join(folder, 'nowhere')), undefined);
});

test('keys are named and sign as TUF wants it', async () => {
  const [signer] = await openUpdateSigners([folder], ring, 'images', undefined);
  assert.ok(signer);
  const { keyId, publicKey } = signer.key;
  const canonical = `{"keytype":"ed25519","keyval":{"public":"${publicKey}"},"scheme":"ed25519"}`;
  assert.equal(keyId, createHash('sha256').update(canonical).digest('hex'));
  const key = createPublicKey({
    format: 'jwk',
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey, 'hex').toString('base64url') },
  });
  const data = Buffer.from('data');
  assert.ok(verify(null, data, key, signer.sign(data)));
});

test('private keys that are elsewhere are left out; ones that do not belong are refused', async () => {
  const [first, second] = currentUpdateKeys(ring, 'root');
  assert.ok(first && second);
  const [here, away] = [updateKeyPath(folder, first), join(folder, 'away')];
  await rename(here, away);
  const found = await openUpdateSigners([folder], ring, 'root', undefined);
  assert.deepEqual(
    found.map(({ key }) => key.keyId),
    [second.keyId],
  );
  const other = await readFile(updateKeyPath(folder, second), 'utf8');
  await writeFile(here, other, { mode: 0o600 });
  await assert.rejects(openUpdateSigners([folder], ring, 'root', undefined), {
    code: 'trust/key-unreadable',
  });
  await rm(here);
  await rename(away, here);
  await chmod(here, 0o640);
  await assert.rejects(openUpdateSigners([folder], ring, 'root', undefined), {
    code: 'trust/key-unreadable',
  });
  await chmod(here, 0o600);
});

test('a ring that is damaged, or has too few keys for a role, is refused', async () => {
  const dir = join(folder, 'damaged');
  await mkdir(dir);
  const read = async (text: string) => {
    await writeFile(join(dir, 'update-keys.json'), text);
    return readUpdateKeyRing(dir);
  };
  const refused = { code: 'trust/key-unreadable' };
  const changed = (change: Record<string, unknown>) => JSON.stringify({ ...ring, ...change });
  const without = (role: UpdateRole) => keys.filter((key) => key.role !== role);
  const [first = keys[0], ...rest] = keys;
  for (const text of [
    '',
    '[]',
    'null',
    changed({ format: 2 }),
    changed({ rootVersion: 0 }),
    changed({ rootVersion: 1.5 }),
    changed({ thresholds: { ...ring.thresholds, root: 3 } }),
    changed({ thresholds: {} }),
    changed({ keys: without('timestamp') }),
    changed({ keys: [{ ...first, keyId: 'x' }, ...rest] }),
    changed({ keys: [{ ...first, role: 'boot' }, ...rest] }),
    changed({ keys: keys.map((key) => ({ ...key, retired: key.created })) }),
  ])
    await assert.rejects(read(text), refused, text.slice(0, 80));
  await fc.assert(
    fc.asyncProperty(fc.json(), (text) => assert.rejects(read(text), refused)),
    { numRuns: 50 },
  );
});
