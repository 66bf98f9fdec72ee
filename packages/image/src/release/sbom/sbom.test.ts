import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { sampleBillInputs } from './bill.testing.ts';
import { makeBill } from './bill.ts';
import { packageUrl } from './package-url.ts';
import { spdxSchema } from './spdx.testing.ts';
import { writeCycloneDx } from './write-cyclonedx.ts';
import { writeSpdx } from './write-spdx.ts';

const bill = makeBill(sampleBillInputs());

test('CycloneDX: valid by the official 1.6 schema, strictly', async () => {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  assert.equal(await validator.validate(writeCycloneDx(bill)), null);
});

test('SPDX: valid by a schema written from the 2.3 specification', () => {
  const ajv = addFormats.default(new Ajv2020({ allErrors: true, strict: false }));
  const document: unknown = JSON.parse(writeSpdx(bill));
  assert.ok(ajv.validate(spdxSchema, document), ajv.errorsText());
});

test('SPDX: identifiers are unique and every relationship joins two that exist', () => {
  const document = JSON.parse(writeSpdx(bill));
  const ids: string[] = [...document.packages, ...document.files].map(({ SPDXID }) => SPDXID);
  const known = new Set([...ids, 'SPDXRef-DOCUMENT']);
  assert.equal(known.size, ids.length + 1);
  for (const { spdxElementId, relatedSpdxElement } of document.relationships) {
    assert.ok(known.has(spdxElementId), spdxElementId);
    assert.ok(known.has(relatedSpdxElement), relatedSpdxElement);
  }
});

test('both name every file once, with its digest', () => {
  const files = [
    '/usr/bin/containerd',
    '/usr/bin/crun',
    '/usr/lib/libstdc++.so.6.0.33',
    '/usr/lib/os-release',
    '/usr/lib/plinth/plinthd',
  ];
  const spdx = JSON.parse(writeSpdx(bill));
  assert.deepEqual(spdx.files.map(({ fileName }: { fileName: string }) => fileName.slice(1)).sort(), files);
  const cdx = JSON.parse(writeCycloneDx(bill));
  type Part = { readonly name: string; readonly components?: readonly Part[] };
  const nested = (cdx.components as readonly Part[]).flatMap(({ components = [] }) => components);
  assert.deepEqual(nested.map(({ name }) => name).sort(), files);
});

test('a bill names what was compiled in: replaced Go modules, the toolchain, sources, npm modules', () => {
  const purls = bill.components.map(({ purl }) => purl);
  for (const expected of [
    'pkg:deb/debian/libstdc%2B%2B6@1:14.2.0-19%2Bb1?arch=amd64&distro=debian-13',
    'pkg:deb/debian/golang-1.24@1.24.4-1?arch=source&distro=debian-13',
    'pkg:golang/github.com/burntsushi/toml@v1.4.0',
    'pkg:golang/github.com/new/fork@v0.2.0%2Bincompatible',
    'pkg:golang/stdlib@1.24.4',
    'pkg:npm/%40bufbuild/protobuf@2.17.0',
    'pkg:generic/node@26.10.0',
    'pkg:generic/openssl@3.5.8',
    'pkg:generic/linux@6.12.107%2Bdeb13-cloud-amd64',
  ]) {
    assert.ok(purls.includes(expected), expected);
  }
  assert.ok(!purls.some((purl) => /old\/fork|nghttp3|modules@/.test(purl)));
});

test('the agent is a component of its own, with its file', () => {
  const agent = bill.components.find(({ name }) => name === 'plinthd');
  assert.deepEqual(
    agent?.files.map(({ path }) => path),
    ['/usr/lib/plinth/plinthd'],
  );
});

test('modules of a Go program that the builder compiled itself are named too', () => {
  const inputs = sampleBillInputs();
  const info = { goVersion: 'go1.26.1', modules: [{ path: 'k8s.io/api', version: 'v0.36.0' }], settings: {} };
  const goPrograms = new Map([['/usr/lib/os-release', info]]);
  const purls = makeBill({ ...inputs, goPrograms }).components.map(({ purl }) => purl);
  assert.ok(purls.includes('pkg:golang/k8s.io/api@v0.36.0'));
  assert.ok(purls.includes('pkg:golang/stdlib@1.26.1'));
});

test('a licence that is no SPDX expression is left out, not repeated', () => {
  const licenseOf = (name: string) => bill.components.find((component) => component.name === name)?.license;
  assert.equal(licenseOf('@bufbuild/protobuf'), '(Apache-2.0 AND BSD-3-Clause)');
  assert.equal(licenseOf('odd'), undefined);
});

test('a package has the licence its copyright file states, and none where that is not certain', () => {
  const licenseOf = (name: string) => bill.components.find((component) => component.name === name)?.license;
  assert.equal(licenseOf('crun'), 'GPL-2.0-only AND LGPL-2.1-only');
  assert.equal(licenseOf('libstdc++6'), undefined);
});

test('the same content gives the same bytes; other content another identity', () => {
  const again = makeBill(sampleBillInputs());
  assert.equal(writeSpdx(again), writeSpdx(bill));
  assert.equal(writeCycloneDx(again), writeCycloneDx(bill));
  const other = makeBill({ ...sampleBillInputs(), version: '1.4.1' });
  const identity = (text: string) => JSON.parse(text).serialNumber ?? JSON.parse(text).documentNamespace;
  assert.notEqual(identity(writeSpdx(other)), identity(writeSpdx(bill)));
  assert.notEqual(identity(writeCycloneDx(other)), identity(writeCycloneDx(bill)));
});

test('packageUrl: what was put in comes out again by URL decoding', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z0-9+.-]+$/),
      fc.stringMatching(/^[0-9a-zA-Z:+~.^-]+$/),
      (name, version) => {
        const purl = packageUrl('deb', `debian/${name}`, version, { arch: 'amd64' });
        const [, path = '', tail = ''] = /^pkg:deb\/([^@]+)@([^?]+)\?arch=amd64$/.exec(purl) ?? [];
        assert.equal(decodeURIComponent(path), `debian/${name}`);
        assert.equal(decodeURIComponent(tail), version);
        assert.match(purl, /^[A-Za-z0-9:/@?=%~._-]+$/);
      },
    ),
  );
});
