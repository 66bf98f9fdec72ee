import assert from 'node:assert/strict';
import { mkdir, open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { openToolbox } from '@plinth/toolbox';
import { REPOSITORY } from '@plinth/updates';
import { initUpdateKeys } from '../keys/init-update-keys.ts';
import { publishRelease } from '../release/publish-release.ts';
import { serveRepository } from '../serve/serve-repository.ts';
import { writeSampleFiles } from '../testing/index.ts';
import { exportSumsKey } from './openpgp-key.ts';

// systemd-sysupdate writes a published root into the empty one of two partitions, with label and id from the file's name.

const MIB = 2 ** 20;
const scratch = await scratchFolder('sysupdate-partition');
const [keysDir, repoDir] = [join(scratch, 'keys'), join(scratch, 'repo')];
await mkdir(keysDir);
await initUpdateKeys(keysDir);
const keyring = await exportSumsKey(keysDir, scratch);
const releaseDir = join(scratch, 'release');
const root = Buffer.alloc(3 * MIB, 'what the root is ');
const manifest = await writeSampleFiles(releaseDir, { version: '1.0.0', root });
await publishRelease({ repoDir, keysDir, channel: 'stable', releaseDir });
const server = await serveRepository({ repoDir });
after(() => server.close());

test('the stock client fills the empty slot', { timeout: 120_000 }, async () => {
  const tools = await openToolbox({ name: 'servers' });
  const work = join(scratch, 'work');
  await mkdir(join(work, 'definitions'), { recursive: true });
  const disk = join(work, 'disk.raw');
  await writeFile(disk, '');
  await truncate(disk, 16 * MIB);
  const binds = [{ host: work, inside: '/mnt/work' }];
  const rootType = '4f68bce3-e8cd-4db1-96e7-fbcaf984b709';
  await tools.run('/usr/sbin/sfdisk', ['--quiet', '/mnt/work/disk.raw'], {
    binds,
    input: `label: gpt
start=2048, size=4M, type=${rootType}, name=plinth_0.9.0
start=10240, size=4M, type=${rootType}, name=_empty
`,
  });
  await writeFile(
    join(work, 'definitions/10-root.transfer'),
    `[Transfer]
Verify=yes
ProtectVersion=0.9.0
[Source]
Type=url-file
Path=${server.url}/${REPOSITORY.sysupdate}/stable/
MatchPattern=plinth_@v_x86-64.root.@u.raw
[Target]
Type=partition
Path=/mnt/work/disk.raw
MatchPattern=plinth_@v
MatchPartitionType=root
`,
  );
  await tools.run('/usr/lib/systemd/systemd-sysupdate', ['--definitions=/mnt/work/definitions', 'update'], {
    network: true,
    timeoutMs: 60_000,
    binds: [...binds, { host: keyring, inside: '/usr/lib/systemd/import-pubring.gpg', readOnly: true }],
  });
  const { stdout } = await tools.run('/usr/sbin/sfdisk', ['--json', '/mnt/work/disk.raw'], { binds });
  const { partitions } = JSON.parse(stdout.toString('utf8')).partitiontable;
  const uuid = /\.root\.([0-9a-f-]+)\.raw$/.exec(manifest.artefacts[1]?.name ?? '')?.[1];
  assert.deepEqual(
    partitions.map(({ name }: { name: string }) => name),
    ['plinth_0.9.0', 'plinth_1.0.0'],
  );
  assert.equal(partitions[1].uuid.toLowerCase(), uuid);
  const file = await open(disk);
  try {
    const { buffer } = await file.read(Buffer.alloc(root.length), 0, root.length, partitions[1].start * 512);
    assert.ok(buffer.equals(root));
  } finally {
    await file.close();
  }
});
