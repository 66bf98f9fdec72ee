import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseGoEnvironment, readGoSettings } from './go-settings.ts';

test('PLINTH_GOPROXY wins over a variable, a variable over the file, and other settings do not pass', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'plinth-go-'));
  try {
    const GOENV = join(dir, 'env');
    await writeFile(GOENV, 'GOPROXY=https://file.example\nGOSUMDB=off\nGOFLAGS=-mod=mod\n');
    assert.equal(await readGoSettings({ GOENV }), 'GOPROXY=https://file.example\nGOSUMDB=off\n');
    const variables = { GOENV, GOPROXY: 'https://variable.example', GOSUMDB: 'sum.example' };
    assert.equal(await readGoSettings(variables), 'GOPROXY=https://variable.example\nGOSUMDB=sum.example\n');
    assert.match(
      await readGoSettings({ ...variables, PLINTH_GOPROXY: 'https://plinth.example' }),
      /^GOPROXY=https:\/\/plinth\.example\n/,
    );
    assert.equal(await readGoSettings({ GOENV: join(dir, 'none') }), '');
    assert.equal(await readGoSettings({ GOENV: 'off' }), '');
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('a line of the file is a name and all after the first "="', () => {
  const text = '# note\nGOPROXY=https://a.example?x=1\n\nlower=no\nGOSUMDB=\n';
  assert.deepEqual(
    [...parseGoEnvironment(text)],
    [
      ['GOPROXY', 'https://a.example?x=1'],
      ['GOSUMDB', ''],
    ],
  );
});
