import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import { fakeSys } from '../../testing/fake-sys.ts';
import { assertBootable } from './assert-bootable.ts';

// Lists as efitools make them for firmware, a program that sbsign signed: nothing here is of our own making.

const VARIABLES = '/sys/firmware/efi/efivars';
const LOADER = '/usr/lib/systemd/boot/efi/systemd-bootx64.efi';
const OWNER = '11111111-2222-4333-8444-555555555555';

suite('lists of the firmware, made by efitools', () => {
  let toolbox: Toolbox;
  let folder = '';
  const read = (name: string) => readFile(join(folder, name));
  const inBox = (program: string, ...args: string[]) =>
    toolbox.run(program, args, { binds: [{ host: folder, inside: '/mnt/work' }] });

  before(async () => {
    toolbox = await openToolbox();
    folder = await mkdtemp(join(tmpdir(), 'plinth-dbx-'));
    for (const name of ['own', 'other']) {
      const [key, certificate] = [`/mnt/work/${name}.key`, `/mnt/work/${name}.pem`];
      const subject = ['-subj', `/CN=${name}`, '-days', '3000', '-nodes', '-newkey', 'rsa:2048'];
      await inBox('openssl', 'req', '-x509', '-sha256', ...subject, '-keyout', key, '-out', certificate);
      await inBox('cert-to-efi-sig-list', '-g', OWNER, certificate, `/mnt/work/${name}.esl`);
      await inBox(
        'cert-to-efi-hash-list',
        '-s',
        '256',
        '-g',
        OWNER,
        certificate,
        `/mnt/work/${name}.hash.esl`,
      );
    }
    const signed = [
      '--key',
      '/mnt/work/own.key',
      '--cert',
      '/mnt/work/own.pem',
      '--output',
      '/mnt/work/signed.efi',
    ];
    await inBox('sbsign', ...signed, LOADER);
    await inBox('hash-to-efi-sig-list', '/mnt/work/signed.efi', '/mnt/work/image.esl');
  });
  after(() => rm(folder, { recursive: true }));

  async function judge(db: string, dbx?: string): Promise<string> {
    const file = await read('signed.efi');
    const variable = async (name: string) => Buffer.concat([Buffer.alloc(4), await read(name)]);
    const files = {
      [`${VARIABLES}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c`]: Buffer.from([6, 0, 0, 0, 1]),
      [`${VARIABLES}/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f`]: await variable(db),
      ...(dbx !== undefined && {
        [`${VARIABLES}/dbx-d719b2cb-3d3a-4596-a3bc-dad00e67656f`]: await variable(dbx),
      }),
    };
    const uki = {
      sizeBytes: file.length,
      read: async (at: number, length: number) => file.subarray(at, at + length),
    };
    try {
      await assertBootable(fakeSys({ files }), uki, '1.1');
      return 'starts';
    } catch (reason) {
      assert.ok(reason instanceof Error);
      return reason.message;
    }
  }

  test('a signature by a key of db, and one that is none of them', async () => {
    assert.equal(await judge('own.esl'), 'starts');
    assert.match(await judge('other.esl'), /has no key/);
    assert.equal(await judge('image.esl'), 'starts');
  });

  test('dbx forbids by certificate, by the hash of a certificate, by the hash of the program', async () => {
    assert.match(await judge('own.esl', 'own.esl'), /forbids a certificate/);
    assert.match(await judge('own.esl', 'own.hash.esl'), /forbids a certificate/);
    assert.match(await judge('own.esl', 'image.esl'), /forbids its very bytes/);
    for (const dbx of ['other.esl', 'other.hash.esl']) assert.equal(await judge('own.esl', dbx), 'starts');
  });
});
