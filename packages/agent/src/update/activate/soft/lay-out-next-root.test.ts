import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { SlotDisk } from '@plinth/updates';
import { fakeDisk, sampleMedium, sampleOffset } from '../../testing/fake-disk.ts';
import { sampleBlocks, sampleRelease } from '../../testing/sample-release.ts';
import { layOutNextRoot } from './lay-out-next-root.ts';

const blocks = (name: string) => sampleBlocks([1, 2, 3].map((number) => `${name} ${number}`));
const [old, next] = [await sampleRelease('1.0', blocks('old')), await sampleRelease('1.1', blocks('new'))];
const disk: SlotDisk = {
  slots: [
    { name: 'a', version: '1.0', rootHash: old.rootHash },
    { name: 'b', version: '1.1', rootHash: next.rootHash },
  ],
  entries: [],
  booted: { slot: 'a', version: '1.0' },
};

function world(fails = false) {
  const medium = sampleMedium(old, next);
  const ran: string[] = [];
  const written = new Map<string, Buffer>();
  const machine = fakeDisk({ medium, booted: { rootNumber: 2, version: '1.0' } });
  const parts = {
    machine: async () => machine,
    units: {
      async run(verb: string, unit: string) {
        ran.push(`${verb} ${unit}`);
        if (fails && unit === 'plinth-nextroot.service') throw new Error('the kernel refuses its signature');
      },
    },
    write: async (name: string, bytes: Uint8Array) => void written.set(name, Buffer.from(bytes)),
  };
  return { medium, ran, written, layOut: (version = '1.1') => layOutNextRoot(parts, disk, version) };
}

suite('layOutNextRoot', () => {
  test('names the slot and its signature to the unit of the image, after what an earlier try left is gone', async () => {
    const { ran, written, layOut } = world();
    await layOut();
    assert.deepEqual(ran, ['start plinth-nextroot-drop.service', 'start plinth-nextroot.service']);
    assert.equal(
      written.get('slot.env')?.toString(),
      `DATA=/dev/vda5\nTREE=/dev/vda6\nROOT_HASH=${next.rootHash}\n`,
    );
    const { signature } = JSON.parse(Buffer.from(next.signature).toString('utf8').replace(/\0+$/, ''));
    assert.equal(written.get('root.p7s')?.toString('base64'), signature);
  });

  test('a unit that fails: what was begun is taken back, and the message says why', async () => {
    const { ran, layOut } = world(true);
    await assert.rejects(layOut(), {
      code: 'update/soft-reboot-failed',
      message: /root of 1\.1: the kernel refuses its signature$/,
    });
    assert.equal(ran.at(-1), 'start plinth-nextroot-drop.service');
  });

  test('a slot without its signature, or of another version, is not gone to', async () => {
    const torn = world();
    torn.medium.disk.fill(0, sampleOffset('b', 'signature'), sampleOffset('b', 'signature') + 4096);
    await assert.rejects(torn.layOut(), /signature partition holds none/);
    assert.ok(!torn.ran.includes('start plinth-nextroot.service'));
    await assert.rejects(world().layOut('1.2'), /the other slot holds "1\.1"/);
  });
});
