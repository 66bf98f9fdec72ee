import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import type { KubeConnection } from '@plinth/kube';
import { releaseSpec, target as targetSchema } from '../../objects/index.ts';
import { openConfigDocuments } from './config-documents.ts';

const TEXT = 'kind: Sysctls\n';
const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');
const CONFIG = { configMap: { namespace: 'plinth-fleet', name: 'workers', key: 'documents' } };

/** A cluster with one ConfigMap of such data, and a release that names a digest. */
function open(data: Record<string, string> | undefined, digest = digestOf(TEXT)) {
  const asked: string[] = [];
  const connection = {
    call: async ({ path }: { readonly path: string }) => {
      asked.push(path);
      return data === undefined
        ? { status: 404, text: '{"message":"not found"}', headers: {} }
        : { status: 200, text: JSON.stringify({ data }), headers: {} };
    },
  } as unknown as KubeConnection;
  const spec = releaseSpec.parse({ config: { ...CONFIG, digest }, rebootRequired: false });
  const release = (name: string) => (name === 'r1' ? spec : undefined);
  const documentsOf = openConfigDocuments({ connection, release }, AbortSignal.timeout(60_000));
  return { asked, documentsOf };
}

const target = (release: string, configDigest = digestOf(TEXT)) =>
  targetSchema.parse({ release, rollout: 'x', lane: 'Standard', configDigest });
const coded = (code: string) => (reason: unknown) => reason instanceof PlinthError && reason.code === code;

test('the documents of a release are read once, and are those whose digest it names', async () => {
  const { asked, documentsOf } = open({ documents: TEXT });
  for (let time = 0; time < 3; time++)
    assert.equal(Buffer.from(await documentsOf(target('r1'))).toString(), TEXT);
  assert.deepEqual(asked, ['/api/v1/namespaces/plinth-fleet/configmaps/workers']);
});

test('what somebody changed since, left out, or took away is not brought to any node', async () => {
  const refused = coded('fleet/config-documents');
  await assert.rejects(open({ documents: `${TEXT}changed: true\n` }).documentsOf(target('r1')), refused);
  await assert.rejects(open({ others: TEXT }).documentsOf(target('r1')), refused);
  await assert.rejects(open({ documents: TEXT }).documentsOf(target('gone')), refused);
  await assert.rejects(open({ documents: TEXT }).documentsOf(target('r1', digestOf('other'))), refused);
  await assert.rejects(open(undefined).documentsOf(target('r1')), coded('kube/not-found'));
});
