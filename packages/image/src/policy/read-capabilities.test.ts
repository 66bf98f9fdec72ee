import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openToolbox } from '@plinth/toolbox';
import { readCapabilities } from './read-capabilities.ts';

test('readCapabilities sees what setcap set, in folders and under names with spaces', async () => {
  const toolbox = await openToolbox();
  const rootDir = await mkdtemp(join(tmpdir(), 'plinth-capabilities-'));
  try {
    await mkdir(join(rootDir, 'usr/bin'), { recursive: true });
    for (const name of ['plain', 'ping', 'two words']) await writeFile(join(rootDir, 'usr/bin', name), '');
    const binds = [{ host: rootDir, inside: '/mnt/tree' }];
    await toolbox.run('setcap', ['cap_net_raw+ep', '/mnt/tree/usr/bin/ping'], { binds });
    await toolbox.run('setcap', ['cap_sys_admin,cap_chown+p', '/mnt/tree/usr/bin/two words'], { binds });
    const found = await readCapabilities(toolbox, rootDir);
    assert.deepEqual([...found].sort(), [
      ['/usr/bin/ping', 'cap_net_raw=ep'],
      ['/usr/bin/two words', 'cap_chown,cap_sys_admin=p'],
    ]);
  } finally {
    await rm(rootDir, { recursive: true });
  }
});
