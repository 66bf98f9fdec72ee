import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { scratchFolder } from '@plinth/host/testing';
import { initUpdateKeys } from '../keys/init-update-keys.ts';
import { readTrustedRoot } from '../keys/trusted-root.ts';
import { publishRelease } from '../release/publish-release.ts';
import { serveRepository } from '../serve/serve-repository.ts';
import { followChannel, writeSampleFiles } from '../testing/index.ts';
import { verifyServed } from '../verify/verify-served.ts';

const scratch = await scratchFolder('killed');
const [keysDir, repoDir] = [join(scratch, 'keys'), join(scratch, 'repo')];
await mkdir(keysDir);
await initUpdateKeys(keysDir);
const root = await readTrustedRoot(keysDir);
const server = await serveRepository({ repoDir });
after(() => server.close());
const KILLS = 8;
const versions = Array.from({ length: KILLS + 1 }, (_, index) => `1.${index}.0`);
for (const version of versions)
  await writeSampleFiles(join(scratch, version), { version, root: Buffer.alloc(2_000_000, version) });

/** A publisher in a process of its own, which says when it begins; it also replaces the timestamp key. */
const program = join(scratch, 'publisher.ts');
const source = (path: string) => JSON.stringify(join(import.meta.dirname, path));
await writeFile(
  program,
  `import { publishRelease } from ${source('../release/publish-release.ts')};
import { rotateUpdateKey } from ${source('../keys/rotate-update-key.ts')};
const [repoDir, keysDir, releaseDir] = process.argv.slice(2);
process.stdout.write('begins\\n');
await rotateUpdateKey(keysDir, 'timestamp');
await publishRelease({ repoDir, keysDir, channel: 'stable', releaseDir });
process.stdout.write('ended\\n');
`,
);

async function publishAndKill(version: string, afterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [program, repoDir, keysDir, join(scratch, version)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const words: string[] = [];
  child.stdout.on('data', (text: Buffer) => words.push(text.toString('utf8')));
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  await Promise.race([sleep(afterMs, undefined, { ref: false }), exited]);
  child.kill('SIGKILL');
  await exited;
  return words.join('').includes('ended');
}

test('a publisher that is killed at any moment leaves a repository that is believed, and the next one goes on', async () => {
  const [first = '', ...others] = versions;
  await publishRelease({ repoDir, keysDir, channel: 'stable', releaseDir: join(scratch, first) });
  const started = performance.now();
  assert.ok(await publishAndKill(others[0] ?? '', 60_000));
  const wholeMs = performance.now() - started;
  let killed = 0;
  for (const [index, version] of others.slice(1).entries()) {
    // Spread over the time that the work takes after it has begun.
    const ended = await publishAndKill(version, ((index + 0.5) / KILLS) * Math.min(wholeMs, 400));
    if (!ended) killed++;
    const { channel } = await followChannel(server.url, join(scratch, 'node'), root);
    const checks = await verifyServed({ url: server.url, root, channels: ['stable'], files: true });
    assert.deepEqual(
      checks.filter(({ verdict }) => verdict === 'fail'),
      [],
    );
    const before = channel.releases.length;
    // The same again, to its end: the lock of the dead is taken over.
    await publishRelease({ repoDir, keysDir, channel: 'stable', releaseDir: join(scratch, version) });
    const seen = await followChannel(server.url, join(scratch, 'node'), root);
    assert.ok(seen.channel.releases.length >= before);
    assert.ok(seen.channel.releases.some((release) => release.version === version));
  }
  assert.ok(killed > 0, 'none was killed at work');
  const left = (await readdir(repoDir, { recursive: true })).filter((name) => /\.tmp$|\.lock$/.test(name));
  assert.deepEqual(left, []);
  const targets = await readdir(join(repoDir, 'targets'));
  assert.ok(versions.every((version) => targets.includes(`plinth_${version}_x86-64.efi`)));
});
