import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeSys } from '../testing/fake-sys.ts';
import { keptSystemStart, readSystemStart } from './system-start.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const MOUNTS = '/proc/1/mountinfo';
const files = {
  [BOOT_ID]: 'b0\n',
  [MOUNTS]: '1 0 253:1 / / ro - erofs /dev/mapper/nextroot ro\n',
  '/sys/dev/block/253:1/dm/name': 'nextroot\n',
};

test('a system that was gone to by a soft-reboot is another start of the same boot', async () => {
  assert.deepEqual(await readSystemStart(fakeSys({ files })), { bootId: 'b0', startId: 'b0+1', soft: true });
});

test('what could be read whole is kept; what could not is asked for again', async () => {
  let machine = fakeSys({ files, broken: { [MOUNTS]: 'EIO' } });
  let reads = 0;
  const start = keptSystemStart({
    readFile: (...args) => {
      reads++;
      return machine.readFile(...args);
    },
  });
  assert.deepEqual(await start(), { bootId: 'b0', startId: 'b0', soft: false });
  machine = fakeSys({ files, broken: { [BOOT_ID]: 'EIO' } });
  assert.deepEqual(await start(), { bootId: '', startId: '+1', soft: true });
  machine = fakeSys({ files });
  assert.equal((await start()).startId, 'b0+1');
  const before = reads;
  assert.equal((await start()).startId, 'b0+1');
  assert.equal(reads, before);
});
