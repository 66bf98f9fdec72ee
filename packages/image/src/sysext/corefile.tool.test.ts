import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import { parseAllDocuments } from 'yaml';
import { findGoComponent } from '../go/build-go-component.ts';
import { loadGoComponents } from '../go/go-component.ts';
import { readGoToolchainKey } from '../go/go-tools.ts';

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const component = (await loadGoComponents(join(repository, 'go'))).get('coredns');
const key = await readGoToolchainKey(join(repository, 'os'));
const program = (component && (await findGoComponent(component, key)))?.programs.get('coredns');
const manifest = join(repository, 'os/kubernetes/tree/usr/share/plinth/kubernetes/manifests/coredns.yaml');

test('the Corefile of the layer is one that the CoreDNS of the layer reads', {
  skip: program === undefined && 'CoreDNS is not compiled on this machine ("plinth kubernetes build")',
}, async () => {
  const scratch = await scratchFolder('corefile');
  const path = join(scratch, 'Corefile');
  const text = (await readFile(manifest, 'utf8')).replace(/\$\{clusterDomain\}/g, 'cluster.local');
  const corefile = parseAllDocuments(text)
    .map((document) => document.toJS() as { kind: string; data?: { Corefile: string } })
    .find(({ kind }) => kind === 'ConfigMap')?.data?.Corefile;
  const start = async (content: string) => {
    await writeFile(path, content);
    // It gets as far as asking for the cluster it is not in, before it listens anywhere.
    const { stdout, stderr } = await run(program ?? '', ['-conf', path], { okCodes: [1], env: {} });
    return `${stdout.toString('utf8')}${stderr}`;
  };
  assert.ok(corefile);
  assert.match(await start(corefile), /unable to load in-cluster configuration/);
  assert.match(await start(corefile.replace('lameduck', 'lame')), /Error during parsing/);
});
