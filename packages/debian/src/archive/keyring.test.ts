import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { type Keyring, readKeyring, readScanKeyring } from './keyring.ts';

const BOOKWORM_SECURITY = '05ab90340c0c5e797f44a8c8254cf3b5aec0a8f0';
const fingerprints = (keys: Keyring) => keys.map((key) => key.getFingerprint());

test('the key of another release is for scanning that suite, and never for what goes into an image', async () => {
  const documented = await readFile(
    new URL('../../../../os/trust/scan-only/README.md', import.meta.url),
    'utf8',
  );
  assert.ok(documented.replaceAll(' ', '').toLowerCase().includes(BOOKWORM_SECURITY));
  const image = fingerprints(await readKeyring());
  assert.equal(image.length, 3);
  assert.ok(!image.includes(BOOKWORM_SECURITY));
  assert.deepEqual(fingerprints(await readScanKeyring('bookworm-security')), [...image, BOOKWORM_SECURITY]);
  for (const suite of ['trixie-security', 'bookworm', 'sid', '../scan-only/debian-archive-bookworm-security'])
    assert.deepEqual(fingerprints(await readScanKeyring(suite)), image, suite);
});
