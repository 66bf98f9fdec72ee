import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeSys } from '../../testing/fake-sys.ts';
import { nodeMtu } from './node-mtu.ts';

const card = (name: string, mtu: string) => ({
  [`/sys/class/net/${name}/mtu`]: `${mtu}\n`,
  [`/sys/class/net/${name}/device/uevent`]: '',
});

test('the smallest card counts, and links of software do not', async () => {
  const files = {
    ...card('ens3', '9000'),
    ...card('ens4', '1460'),
    '/sys/class/net/flannel.1/mtu': '1410\n',
  };
  assert.equal(await nodeMtu(fakeSys({ files })), 1460);
});

test('without a card that tells its size it is that of Ethernet', async () => {
  assert.equal(await nodeMtu(fakeSys({})), 1500);
  assert.equal(await nodeMtu(fakeSys({ files: card('ens3', 'x') })), 1500);
});
