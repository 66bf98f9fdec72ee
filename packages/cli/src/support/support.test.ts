import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { LogEntry, NodeClient } from '@plinth/api';
import { silentProgress } from '@plinth/base';
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';
import { bundleParts, logText } from './bundle-parts.ts';
import { collectParts, manifestOf, packBundle } from './make-bundle.ts';
import { parseRecipients, sealBundle } from './seal-bundle.ts';

suite('plinth support', () => {
  let fleet: FakeFleet;
  before(async () => {
    fleet = await fakeFleet('cp1');
  });
  after(() => fleet[Symbol.asyncDispose]());

  test('writes what its receiver alone can open, says first what it will hold, and names what is missing', async () => {
    const identity = await generateX25519Identity();
    const path = join(fleet.folder, 'a.tar.gz.age');
    const { exitCode, stdout, stderr } = await fleet.plinth(
      ...['support', path, '--recipient', await identityToRecipient(identity)],
    );
    assert.equal(exitCode, 5, stderr);
    assert.match(
      stderr,
      /will hold 31 parts, secrets taken out:\n {2}identity\.json +name, id and addresses\n/,
    );
    assert.match(stdout, /MISSING +WHY\n[\s\S]*versions\.json/);
    assert.equal((await stat(path)).mode & 0o777, 0o600);

    const sealed = await readFile(path);
    assert.ok(sealed.toString('latin1').startsWith('age-encryption.org/v1\n'));
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    const files = unpack(await decrypter.decrypt(sealed));
    const manifest = JSON.parse(files.get('manifest.json') ?? '');
    assert.equal(manifest.node, 'cp1');
    assert.equal(manifest.parts.length, 31);
    for (const part of manifest.parts) {
      assert.equal(files.has(part.path), part.state === 'collected', part.path);
      if (part.state === 'failed') assert.match(part.code, /^api\//);
    }
    assert.equal(JSON.parse(files.get('identity.json') ?? '').nodeName, 'cp1');

    const stranger = new Decrypter();
    stranger.addIdentity(await generateX25519Identity());
    await assert.rejects(stranger.decrypt(sealed));
  });

  test('without a receiver nothing is asked and nothing is written; a plain archive is said loudly', async () => {
    const path = join(fleet.folder, 'b.tar.gz');
    const refused = await fleet.plinth('support', path);
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /nobody is named who may open it/);
    await assert.rejects(stat(path));
    const plain = await fleet.plinth('support', path, '--no-encrypt');
    assert.match(plain.stderr, /WARNING: the bundle is NOT encrypted/);
    assert.match(plain.stdout, /EVERYBODY WHO GETS IT/);
    assert.ok(unpack(await readFile(path)).has('health.json'));
    assert.equal((await fleet.plinth('support', path, '--no-encrypt')).exitCode, 2, 'the file exists');
    await writeFile(join(fleet.folder, 'keys'), '# support\nAGE-SECRET-KEY-1AAAA\n');
    const secret = await fleet.plinth('support', '--recipients-file', join(fleet.folder, 'keys'));
    assert.equal(secret.exitCode, 2);
    assert.equal(secret.stderr.includes('1AAAA'), false);
  });
});

test('a part that is late or fails is named, and the others are there', async () => {
  const part = (path: string, timeoutMs: number, collect: () => Promise<string>) => {
    return { path, what: path, timeoutMs, collect };
  };
  const parts = await collectParts(
    noNode(),
    [
      part('a', 1000, async () => 'text'),
      part('late', 20, () => new Promise(() => {})),
      part('bad', 1000, async () => {
        throw new Error('no');
      }),
      part('z', 1000, async () => 'more'),
    ],
    silentProgress,
    new AbortController().signal,
  );
  assert.deepEqual(
    parts.map((each) => [each.path, each.state === 'failed' ? each.code : each.text]),
    [
      ['a', 'text'],
      ['late', 'api/timeout'],
      ['bad', 'api/failed'],
      ['z', 'more'],
    ],
  );
  const manifest = manifestOf('n', new Date(0), 'plinth 0', parts);
  assert.equal(JSON.stringify(manifest).includes('more'), false);
  assert.deepEqual([...unpack(packBundle('f', manifest, parts)).keys()].sort(), ['a', 'manifest.json', 'z']);
});

test('a private key that was written to the journal line by line is not in the log', async () => {
  const pem = String(
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  );
  const lines = ['before', ...pem.trimEnd().split('\n'), 'after'];
  // Another program writes in between.
  lines.splice(5, 0, 'Started containerd.service');
  const text = await logText(entries(lines));
  for (const line of pem.split('\n').filter((each) => each !== '' && !each.startsWith('-----')))
    assert.equal(text.includes(line), false, line);
  for (const kept of ['before', 'after', 'Started containerd.service'])
    assert.ok(text.includes(`: ${kept}\n`));
});

test('every part has a name of its own, a title and a bound', () => {
  const parts = bundleParts({ journalLines: 1000 });
  assert.equal(new Set(parts.map(({ path }) => path)).size, parts.length);
  for (const { what, timeoutMs } of parts) assert.ok(what !== '' && timeoutMs > 0 && timeoutMs <= 120_000);
});

test('keys of receivers are read with care', async () => {
  const key = await identityToRecipient(await generateX25519Identity());
  assert.deepEqual(parseRecipients(`# us\n${key}\n${key}, ${key}\n`), [key]);
  assert.throws(() => parseRecipients('ssh-ed25519 AAAA'), { code: 'cli/usage' });
  const typo = `${key.slice(0, -1)}${key.endsWith('q') ? 'p' : 'q'}`;
  await assert.rejects(sealBundle(Buffer.from('a'), [typo]), { code: 'cli/usage' });
});

/** The files of an archive, read by tar itself, without the folder they lie in. */
function unpack(archive: Uint8Array): Map<string, string> {
  const tar = (...args: string[]) => execFileSync('tar', args, { input: archive }).toString();
  const paths = tar('-tz')
    .split('\n')
    .filter((path) => path !== '' && !path.endsWith('/'));
  return new Map(paths.map((path) => [path.split('/').slice(1).join('/'), tar('-xzO', path)]));
}

async function* entries(lines: readonly string[]): AsyncGenerator<readonly LogEntry[]> {
  yield lines.map(
    (message): LogEntry => ({
      $typeName: 'plinth.node.v1.LogEntry',
      ...{ unit: 'app.service', identifier: 'app', pid: 7, message, stderr: false, cutBytes: 0n },
    }),
  );
}

/** For parts that ask nothing. */
function noNode(): NodeClient {
  return new Proxy({} as NodeClient, {
    get() {
      throw new Error('nobody is asked');
    },
  });
}
