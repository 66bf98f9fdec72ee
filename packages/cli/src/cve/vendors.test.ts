import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAdvisoryStore } from '@plinth/advisory';
import { scratchFolder } from '@plinth/host/testing';
import { runCli } from '../run-cli.ts';

const ID = 'CVE-2026-54875';

test('a vendor that closes what the archive says is open is seen in the summary and in --explain', async () => {
  const folder = await scratchFolder('vendors');
  const root = join(folder, 'root');
  await mkdir(join(root, 'var/lib/dpkg'), { recursive: true });
  await mkdir(join(root, 'etc'));
  const status =
    'Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.5.7-1~deb13u2\n';
  await writeFile(join(root, 'var/lib/dpkg/status'), status);
  await writeFile(join(root, 'etc/os-release'), 'ID=debian\nVERSION_ID=13\nVERSION_CODENAME=trixie\n');
  const store = await openAdvisoryStore(join(folder, 'state', 'advisory', 'feeds.sqlite'));
  const [date, version] = [new Date().toISOString(), '3.5.7-1~deb13u3'];
  await store.replaceOffers(
    {
      ...{
        name: 'debian-index:trixie-security',
        date,
        fetchedAt: date,
        sha256: 'a'.repeat(64),
        sizeBytes: 0,
      },
      ...{
        validUntil: '2099-01-01T00:00:00.000Z',
        validitySource: 'feed',
        authenticity: 'archive-signature',
      },
    },
    [{ source: 'openssl', version, binaries: ['openssl'], changelogIn: [] }],
  );
  const claim = { id: ID, role: 'fixes', version, text: `Fix ${ID}`, confidence: 'stated' } as const;
  await store.putChangelog({
    ...{ source: 'openssl', version, state: 'read', detail: 'a test' },
    entries: [{ version, date, distributions: ['trixie-security'], claims: [claim] }],
  });
  await store.close();
  const document = join(folder, 'vendor.json');
  const product = { '@id': 'pkg:deb/debian/openssl@3.5.7-1~deb13u2?arch=source' };
  const statement = { vulnerability: { name: ID }, products: [product], status: 'not_affected' };
  const text = JSON.stringify({
    '@context': 'https://openvex.dev/ns/v0.2.0',
    ...{ '@id': 'https://vendor.example/1', author: 'Example Vendor', timestamp: date, version: 1 },
    statements: [{ ...statement, justification: 'vulnerable_code_not_present' }],
  });
  await writeFile(document, text);

  const plinth = async (...argv: string[]) => {
    const out: string[] = [];
    const surroundings = {
      stdout: { write: (line: string) => out.push(line) },
      stderr: { write: () => true },
      env: { PLINTH_STATE_DIR: join(folder, 'state') },
    };
    await runCli(['cve', ...argv, '-q'], surroundings, new AbortController().signal);
    return out.join('');
  };
  assert.match(await plinth('scan', root, '--offline'), new RegExp(`${ID} +open`));
  assert.match(await plinth('feeds', 'import', document), /csaf +fresh/);
  const after = await plinth('scan', root, '--offline');
  assert.match(after, new RegExp(`disputed +closed by one source, open by another: ${ID}; see --explain`));
  const explained = await plinth('scan', root, '--offline', '--explain', ID);
  assert.match(explained, /not-affected, sources contradict each other/);
  assert.match(explained, /not-affected, by csaf \(stated\): Example Vendor says/);
  assert.match(explained, /open, by changelog \(stated\)/);
});
