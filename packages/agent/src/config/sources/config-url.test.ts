import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { memoryStore } from '../../sys/state-store.ts';
import { makeAuthority } from '../../testing/authority.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import { findConfig } from '../find-config.ts';
import { openUrlSource, readConfigUrl } from './config-url.ts';

const authority = makeAuthority('config servers');
const other = makeAuthority('another');
after(() => {
  authority[Symbol.dispose]();
  other[Symbol.dispose]();
});
const FW_CFG_URL = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config-url/raw';
const DMI = '/sys/firmware/dmi/tables/DMI';

const config = Buffer.from(
  JSON.stringify({
    apiVersion: 'plinth.dev/v1alpha1',
    kind: 'MachineConfig',
    metadata: { name: 'by-url' },
    api: { clientAuthorities: [authority.certificatePem] },
  }),
);

/** A server on loopback whose certificate the authority vouches for, and how often it was asked. */
async function serveConfig(answer: RequestListener, tls = true) {
  const { certificatePem: cert, keyPem: key } = authority.issue({
    ...{ commonName: 'localhost', organisations: [], usage: 'serverAuth' },
  });
  const server = tls ? createTlsServer({ cert, key }, answer) : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://localhost:${port}/nodes/7?rack=4`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const told = (url: string, pem: string | undefined = authority.certificatePem) =>
  JSON.stringify({ url, ...(pem !== undefined && { authority: pem }) });
const ask = (definition: string, retryMs = 1) =>
  findConfig(fakeSys({ files: { [FW_CFG_URL]: definition } }), memoryStore('a test'), {
    url: openUrlSource({ retryMs }),
  });

test('a config is fetched from the address that the machine is told, over TLS of the pinned authority', async () => {
  const asked: (string | undefined)[] = [];
  await using server = await serveConfig((request, response) => {
    asked.push(request.url);
    response.end(config);
  });
  const found = await ask(told(server.url));
  assert.ok(found.ok, JSON.stringify(found));
  assert.deepEqual([found.source, found.config.machine.name, asked], ['url', 'by-url', ['/nodes/7?rack=4']]);
});

test('SMBIOS may tell the address as well', async () => {
  await using server = await serveConfig((_request, response) => response.end(config));
  const text = `dev.plinth/machine-config-url=${Buffer.from(told(server.url)).toString('base64')}\0\0`;
  const table = Buffer.concat([
    Buffer.from([11, 5, 0, 0, 1]),
    Buffer.from(text),
    Buffer.from([127, 4, 1, 0, 0, 0]),
  ]);
  const sys = fakeSys({ files: { [DMI]: table } });
  const found = await findConfig(sys, memoryStore('a test'), { url: openUrlSource() });
  assert.ok(found.ok && found.source === 'url');
});

test('an address without a pin, without TLS, or with secrets in it is refused before anybody is asked', () => {
  const pem = authority.certificatePem;
  for (const [text, why] of [
    [JSON.stringify({ url: 'https://h/x' }), /no "authority", expected the certificate that vouches for it/],
    [told('http://h/x'), /does not begin with "https:"/],
    [told('https://u:p@h/x'), /a user, a password/],
    [told('https://h/x', 'PEM'), /not the certificate of one authority/],
    [told('https://h/x', `${pem}${pem}`), /not the certificate of one authority/],
    [told('https://h/x', other.issue().certificatePem), /not the certificate of one authority/],
    ['https://h/x', /expected \{"url"/],
    [JSON.stringify({ url: 'https://h/x', authority: pem, insecure: true }), /expected \{"url"/],
  ] as const) {
    const read = readConfigUrl(Buffer.from(text));
    assert.ok(!read.ok, text);
    assert.match(read.why, why);
  }
});

test('a server that another authority vouches for gives nothing, and the door of maintenance stays shut', async () => {
  let asked = 0;
  await using server = await serveConfig((_request, response) => {
    asked++;
    response.end(config);
  });
  const found = await ask(told(server.url, other.certificatePem));
  assert.ok(!found.ok && found.code === 'agent/config-missing');
  assert.match(found.problems.join('\n'), /The server localhost:\d+ gives no config: the connection failed/);
  assert.equal(found.cloudSilent, true);
  assert.equal(asked, 0);
});

test('redirects, errors, silence and too much are told, and asked again where that may help', async () => {
  for (const [answer, said] of [
    [
      (response) => response.writeHead(302, { location: 'https://evil/' }).end(),
      /it leads elsewhere \(302\)/,
    ],
    [(response) => response.writeHead(404).end(), /status 404/],
    [(response) => response.writeHead(503).end(), /status 503/],
    [(response) => response.end(), /its answer is empty/],
    [(response) => response.destroy(), /the connection failed|socket hang up/],
    [(response) => response.end(Buffer.alloc(300_000, 0x20)), /larger than 262144 bytes/],
    [(response) => response.end('kindd: x'), /no apiVersion|unknown key|no kind/],
  ] as readonly (readonly [(response: Parameters<RequestListener>[1]) => unknown, RegExp])[]) {
    await using server = await serveConfig((_request, response) => void answer(response));
    const found = await ask(told(server.url));
    assert.ok(!found.ok);
    assert.match(found.problems.join('\n'), said);
  }
});
