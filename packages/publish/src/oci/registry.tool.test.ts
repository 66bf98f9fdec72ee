import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hashText } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import { openToolbox } from '@plinth/toolbox';
import { freePort, type RunningTool, runServer, writeSampleFiles } from '../testing/index.ts';
import { ARTIFACT_TYPE, INDEX_TYPE, MANIFEST_TYPE, SIGNATURE_TYPE } from './make-artefact.ts';
import { pushRelease } from './push-release.ts';

// A registry of Debian takes releases, and gives back the bytes of the manifest.

const scratch = await scratchFolder('registry');
const tools = await openToolbox({ name: 'servers' });
const releaseDir = join(scratch, 'release');
const manifest = await writeSampleFiles(releaseDir, { version: '1.2.3~rc1' });
const servers: RunningTool[] = [];
after(() => Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));

async function startRegistry(name: string, settings = '', files: Record<string, string> = {}) {
  const [port, data, etc] = [await freePort(), join(scratch, name), join(scratch, `${name}-etc`)];
  await mkdir(data);
  await mkdir(etc);
  const config = `version: 0.1
storage: { filesystem: { rootdirectory: /mnt/data } }
http: { addr: "127.0.0.1:${port}" }
${settings}
`;
  for (const [file, content] of Object.entries({ ...files, 'config.yml': config }))
    await writeFile(join(etc, file), content);
  const server = await runServer(
    tools,
    port,
    ['/usr/bin/docker-registry', 'serve', '/mnt/etc/config.yml'],
    [
      { host: data, inside: '/mnt/data' },
      { host: etc, inside: '/mnt/etc', readOnly: true },
    ],
  );
  servers.push(server);
  return { url: server.url, host: `127.0.0.1:${port}`, log: server.log };
}

/** What a registry has under a name. */
async function read(url: string, accept: string) {
  const answer = await fetch(url, { headers: { accept } });
  assert.equal(answer.status, 200, url);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return { bytes, json: JSON.parse(Buffer.from(bytes).toString('utf8')) };
}

const env = { HOME: scratch };

test('a release comes back from a registry byte for byte, with its papers beside it', async () => {
  const { url, host } = await startRegistry('open');
  const to = `oci://${host}/fleet/plinth`;
  const pushed = await pushRelease({ releaseDir, to, env });
  assert.equal(pushed.reference, `${host}/fleet/plinth:1.2.3-rc1`);
  const api = `${url}/v2/fleet/plinth`;
  const index = await read(`${api}/manifests/1.2.3-rc1`, INDEX_TYPE);
  assert.equal(`sha256:${hashText(index.bytes)}`, pushed.digest);
  const [entry] = index.json.manifests;
  assert.deepEqual(
    [entry.digest, entry.artifactType, entry.platform],
    [pushed.imageDigest, ARTIFACT_TYPE, { architecture: 'amd64', os: 'linux' }],
  );

  const image = (await read(`${api}/manifests/${entry.digest}`, MANIFEST_TYPE)).json;
  assert.equal(image.artifactType, ARTIFACT_TYPE);
  assert.equal(image.config.mediaType, 'application/vnd.oci.empty.v1+json');
  assert.equal(image.annotations['org.opencontainers.image.version'], '1.2.3~rc1');
  const listed = (await read(`${api}/manifests/${entry.digest.replace(':', '-')}`, INDEX_TYPE)).json
    .manifests;
  assert.deepEqual(
    listed.map(({ artifactType }: { artifactType: string }) => artifactType).sort(),
    [
      SIGNATURE_TYPE,
      'application/spdx+json',
      'application/vnd.cyclonedx+json',
      'application/vnd.dsse.envelope.v1+json',
    ].sort(),
  );
  const layers = [...image.layers];
  for (const { digest } of listed) {
    const referrer = (await read(`${api}/manifests/${digest}`, MANIFEST_TYPE)).json;
    assert.equal(referrer.subject.digest, entry.digest);
    layers.push(...referrer.layers);
  }
  const titles = new Map(
    layers.map(({ digest, annotations }) => [annotations['org.opencontainers.image.title'], digest]),
  );
  assert.equal(titles.size, manifest.artefacts.length + 4);
  for (const { name, sha256 } of manifest.artefacts) {
    assert.equal(titles.get(name), `sha256:${sha256}`);
    const blob = await fetch(`${api}/blobs/sha256:${sha256}`);
    assert.equal(hashText(new Uint8Array(await blob.arrayBuffer())), sha256, name);
  }

  const again = await pushRelease({ releaseDir, to: `${to}:latest`, env });
  assert.equal(again.digest, pushed.digest);
  assert.ok(again.files.every(({ isNew }) => !isNew));
  const after = (await read(`${api}/manifests/${entry.digest.replace(':', '-')}`, INDEX_TYPE)).json.manifests;
  assert.equal(after.length, listed.length);
});

test('a registry that wants credentials gets those of the docker configuration, and nobody else sees them', async () => {
  // bcrypt of the password below.
  const htpasswd = 'ada:$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n';
  const auth = 'auth: { htpasswd: { realm: test, path: /mnt/etc/htpasswd } }';
  const { host, log } = await startRegistry('closed', auth, { htpasswd });
  const to = `oci://${host}/plinth:1`;
  await assert.rejects(pushRelease({ releaseDir, to, env }), { code: 'publish/registry-denied' });
  const configDir = join(scratch, 'docker');
  await mkdir(configDir);
  const login = (password: string) =>
    writeFile(
      join(configDir, 'config.json'),
      JSON.stringify({ auths: { [host]: { auth: Buffer.from(`ada:${password}`).toString('base64') } } }),
    );
  await login('a wrong word');
  const withConfig = { ...env, DOCKER_CONFIG: configDir };
  await assert.rejects(pushRelease({ releaseDir, to, env: withConfig }), (error: Error) => {
    assert.doesNotMatch(`${error.stack}${JSON.stringify(error)}${error.cause}`, /a wrong word|YWRhOm/);
    return true;
  });
  await login('open sesame');
  const pushed = await pushRelease({ releaseDir, to, env: withConfig });
  assert.equal(pushed.reference, `${host}/plinth:1`);
  assert.doesNotMatch(log(), /open sesame/);
});
