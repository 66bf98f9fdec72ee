import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hashText } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import { openToolbox } from '@plinth/toolbox';
import { REPOSITORY } from '@plinth/updates';
import { initUpdateKeys } from '../keys/init-update-keys.ts';
import { readTrustedRoot } from '../keys/trusted-root.ts';
import { publishRelease } from '../release/publish-release.ts';
import { refreshRepository } from '../repository/refresh-repository.ts';
import { followChannel, freePort, runServer, writeSampleFiles } from '../testing/index.ts';
import { verifyServed } from '../verify/verify-served.ts';

// A repository is a folder that any web server serves: nginx of Debian, with nothing set but where the folder is.

const scratch = await scratchFolder('nginx');
const [keysDir, repoDir] = [join(scratch, 'keys'), join(scratch, 'repo')];
await mkdir(keysDir);
await initUpdateKeys(keysDir);
const root = await readTrustedRoot(keysDir);
const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 251));
const publish = async (version: string) => {
  const releaseDir = join(scratch, version);
  const manifest = await writeSampleFiles(releaseDir, {
    version,
    root: Buffer.concat([bytes, Buffer.from(version)]),
  });
  await publishRelease({ repoDir, keysDir, channel: 'stable', releaseDir });
  return manifest;
};
// Of Plinth's versions, that a URL has to escape.
const manifest = await publish('1.0.0~rc1^2');
const port = await freePort();
const config = join(scratch, 'nginx.conf');
await writeFile(
  config,
  `daemon off; master_process off; pid /tmp/nginx.pid; error_log stderr;
events {}
http {
  access_log off;
  server { listen 127.0.0.1:${port}; root /mnt/repo; }
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path /tmp/${name};`).join(' ')}
}
`,
);
const nginx = await runServer(
  await openToolbox({ name: 'servers' }),
  port,
  ['/usr/sbin/nginx', '-c', '/mnt/nginx.conf'],
  [
    { host: config, inside: '/mnt/nginx.conf', readOnly: true },
    { host: repoDir, inside: '/mnt/repo', readOnly: true },
  ],
);
after(() => nginx[Symbol.asyncDispose]());

test('the client of tuf-js follows what is published while nginx serves it', async () => {
  const versions = async (node: string) =>
    (await followChannel(nginx.url, join(scratch, node), root)).channel.releases.map(
      ({ version }) => version,
    );
  assert.deepEqual(await versions('node'), ['1.0.0~rc1^2']);
  await publish('1.0.0');
  await refreshRepository({ repoDir, keysDir });
  assert.deepEqual(await versions('node'), ['1.0.0~rc1^2', '1.0.0']);
  assert.deepEqual(await versions('new-node'), ['1.0.0~rc1^2', '1.0.0']);
});

test('everything in it is believed, through nginx', async () => {
  const checks = await verifyServed({ url: nginx.url, root, channels: ['stable'], files: true });
  assert.ok(checks.length > 10);
  assert.deepEqual(
    checks.filter(({ verdict }) => verdict !== 'pass'),
    [],
  );
});

test('ranges of a release file are the bytes that were signed', async () => {
  const artefact = manifest.artefacts.find(({ name }) => name.includes('.root.')) ?? assert.fail();
  const url = `${nginx.url}/${REPOSITORY.targets}/${encodeURIComponent(artefact.name)}`;
  const parts: Uint8Array[] = [];
  let etag = '';
  for (let first = 0; first < artefact.sizeBytes; first += 65_536) {
    const range = `bytes=${first}-${Math.min(first + 65_536, artefact.sizeBytes) - 1}`;
    const answer = await fetch(url, { headers: { range, ...(etag && { 'if-range': etag }) } });
    assert.equal(answer.status, 206);
    etag = answer.headers.get('etag') ?? '';
    parts.push(new Uint8Array(await answer.arrayBuffer()));
  }
  assert.equal(parts.length, 5);
  assert.equal(hashText(Buffer.concat(parts)), artefact.sha256);
});
