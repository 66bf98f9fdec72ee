import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hashText } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import { openToolbox } from '@plinth/toolbox';
import { REPOSITORY } from '@plinth/updates';
import { changeRule } from '../channel/change-channel.ts';
import { initUpdateKeys } from '../keys/init-update-keys.ts';
import { publishRelease } from '../release/publish-release.ts';
import { serveRepository } from '../serve/serve-repository.ts';
import { writeSampleFiles } from '../testing/index.ts';
import { exportSumsKey } from './openpgp-key.ts';

// systemd-sysupdate of Debian, as it is, takes releases from a repository: names, list, signature and freshness are what it wants.

const scratch = await scratchFolder('sysupdate');
const [keysDir, repoDir] = [join(scratch, 'keys'), join(scratch, 'repo')];
await mkdir(keysDir);
await initUpdateKeys(keysDir);
const keyring = await exportSumsKey(keysDir, scratch);
const signing = { repoDir, keysDir };
// Version 257 passes over versions with a tilde: it takes them for no versions at all.
const versions = ['1.0.0', '1.1.0~rc1', '1.1.0'];
const manifests: Awaited<ReturnType<typeof writeSampleFiles>>[] = [];
for (const version of versions) {
  const releaseDir = join(scratch, version);
  manifests.push(await writeSampleFiles(releaseDir, { version }));
  await publishRelease({ ...signing, channel: 'stable', releaseDir });
}
const server = await serveRepository({ repoDir });
after(() => server.close());
const tools = await openToolbox({ name: 'servers' });

/** What a machine would get, in a folder of its own. */
async function update(name: string, believed: string = keyring): Promise<Record<string, string>> {
  const [definitions, out] = [join(scratch, `${name}.d`), join(scratch, name)];
  await mkdir(definitions);
  await mkdir(out);
  const transfer = (from: string, to: string) => `[Transfer]
Verify=yes
[Source]
Type=url-file
Path=${server.url}/${REPOSITORY.sysupdate}/stable/
MatchPattern=${from}
[Target]
Type=regular-file
Path=/mnt/out
MatchPattern=${to}
`;
  await writeFile(
    join(definitions, '10-root.transfer'),
    transfer('plinth_@v_x86-64.root.@u.raw', 'plinth_@v.root.raw'),
  );
  await writeFile(join(definitions, '20-uki.transfer'), transfer('plinth_@v_x86-64.efi', 'plinth_@v.efi'));
  await tools.run('/usr/lib/systemd/systemd-sysupdate', ['--definitions=/mnt/definitions', 'update'], {
    network: true,
    timeoutMs: 60_000,
    binds: [
      { host: definitions, inside: '/mnt/definitions', readOnly: true },
      { host: out, inside: '/mnt/out' },
      // Where the package has a keyring of its own.
      { host: believed, inside: '/usr/lib/systemd/import-pubring.gpg', readOnly: true },
    ],
  });
  const digests = (await readdir(out)).map(async (file) => [file, hashText(await readFile(join(out, file)))]);
  return Object.fromEntries(await Promise.all(digests));
}

function expected(version: string): Record<string, string> {
  const files = manifests[versions.indexOf(version)]?.artefacts ?? [];
  const digestOf = (part: string) => files.find(({ name }) => name.includes(part))?.sha256 ?? '';
  return { [`plinth_${version}.efi`]: digestOf('.efi'), [`plinth_${version}.root.raw`]: digestOf('.root.') };
}

test('the stock client takes the newest version, signature checked, byte for byte', {
  timeout: 120_000,
}, async () => {
  assert.deepEqual(await update('newest'), expected('1.1.0'));
});

test('what a channel blocks or lets sink below its floor is not offered to it', {
  timeout: 120_000,
}, async () => {
  const stable = { ...signing, channel: 'stable' };
  await changeRule(stable, { rule: 'block', version: '1.1.0', reason: 'bad' });
  assert.deepEqual(await update('unblocked'), expected('1.0.0'));
  const names = await readdir(join(repoDir, REPOSITORY.sysupdate, 'stable'));
  assert.ok(!names.some((name) => name.includes('_1.1.0_')));
  await changeRule(stable, { rule: 'block', version: '1.1.0' });
  assert.deepEqual(await update('again'), expected('1.1.0'));
});

test('it refuses a list that another key signed', { timeout: 120_000 }, async () => {
  const strangerDir = join(scratch, 'stranger');
  await mkdir(strangerDir);
  await initUpdateKeys(strangerDir);
  const stranger = await exportSumsKey(strangerDir, join(scratch, 'stranger-export'));
  await assert.rejects(update('stranger-out', stranger), /DOWNLOAD INVALID: Signature verification failed/);
});
