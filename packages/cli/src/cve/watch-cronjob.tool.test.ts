import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findKubernetesPrograms, PATIENCE_MS, startControlPlane } from '@plinth/image/testing';

// The CronJob of the watch before a real API server: it takes every field, and lets its pod in.

const MANIFEST = fileURLToPath(new URL('../../../advisory/deploy/cronjob.yaml', import.meta.url));
const kubernetes = (await findKubernetesPrograms()).at(-1);
const skip = kubernetes === undefined ? 'no version of Kubernetes is compiled here' : kubernetes.skip;

test('an API server takes the CronJob as it stands, and its namespace lets the pod in and no looser one', {
  skip,
  timeout: 4 * PATIENCE_MS,
}, async () => {
  assert.ok(kubernetes);
  await using plane = await startControlPlane(kubernetes);
  // Strict: a field that this API does not have is an error, not passed over.
  await plane.kubectl('apply', '--validate=strict', '-f', MANIFEST);
  const job = JSON.parse(
    await plane.kubectl('get', 'cronjob', 'plinth-cve-watch', '-n', 'plinth-watch', '-o=json'),
  );
  assert.deepEqual([job.spec.schedule, job.spec.timeZone], ['0 6,18 * * *', 'Etc/UTC']);
  const pod = (name: string, change: (container: Record<string, unknown>) => void) => {
    const { template } = structuredClone(job.spec.jobTemplate.spec);
    change(template.spec.containers[0]);
    const metadata = { name, namespace: 'plinth-watch' };
    return { apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec };
  };
  const create = async (name: string, change: (container: Record<string, unknown>) => void = () => {}) => {
    const path = plane.at(`${name}.json`);
    await writeFile(path, JSON.stringify(pod(name, change)));
    return await plane.kubectl('create', '--dry-run=server', '-f', path);
  };
  assert.match(await create('as-it-stands'), /pod\/as-it-stands created/);
  await assert.rejects(
    create('as-root', (container) => {
      container['securityContext'] = { runAsUser: 0 };
    }),
    /violates PodSecurity "restricted/,
  );
});
