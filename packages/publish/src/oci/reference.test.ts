import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { readCredentials } from './credentials.ts';
import { parseOciReference, tagOf } from './reference.ts';

test('an address of an artefact; only this machine is spoken to in the clear', () => {
  assert.deepEqual(parseOciReference('oci://registry.example/fleet/plinth:1.2.3'), {
    origin: 'https://registry.example',
    host: 'registry.example',
    repository: 'fleet/plinth',
    tag: '1.2.3',
  });
  for (const host of ['localhost:5000', '127.0.0.1:5000', '[::1]:5000'])
    assert.equal(parseOciReference(`oci://${host}/plinth`).origin, `http://${host}`);
  for (const host of ['10.0.0.1:5000', 'localhost.example', '127.example'])
    assert.equal(parseOciReference(`oci://${host}/plinth`).origin, `https://${host}`);
});

test('what is no such address is refused', () => {
  const texts = [
    'oci://',
    'oci://host',
    'oci://host/',
    'oci://host/Upper',
    'oci://host/a:b:c',
    'oci://host/../x',
  ];
  for (const text of [...texts, 'oci://user:secret@host/x', 'oci://host/x:a b', 'https://host/x'])
    assert.throws(() => parseOciReference(text), { code: 'publish/request-invalid' }, text);
});

test('versions become tags', () => {
  assert.equal(tagOf('1.5.0~rc1^2'), '1.5.0-rc1_2');
});

test('credentials are those of the host, from the file as docker writes it', async () => {
  const home = await scratchFolder('docker-config');
  const read = (host: string) => readCredentials(host, { HOME: home });
  assert.equal(await read('registry.example'), undefined);
  await mkdir(join(home, '.docker'));
  const auth = Buffer.from('ada:a:b').toString('base64');
  const write = (text: string) => writeFile(join(home, '.docker/config.json'), text);
  await write(
    JSON.stringify({ auths: { 'registry.example': { auth }, 'other.example': {} }, credsStore: 'x' }),
  );
  assert.deepEqual(await read('registry.example'), { username: 'ada', password: 'a:b' });
  assert.equal(await read('other.example'), undefined);
  assert.equal(await read('example'), undefined);
  await write(`{"auths": "${auth}`);
  await assert.rejects(read('registry.example'), (error: Error) => {
    assert.doesNotMatch(`${error.stack}${error.cause}`, new RegExp(auth));
    return true;
  });
});
