import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { findKubernetesPrograms, type KubernetesPrograms, startControlPlane } from '@plinth/image/testing';
import { askKube, type KubeConnection, openKubeConnection, readClusterAccess } from '@plinth/kube';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { FLEET_GROUP, FLEET_VERSION, type FleetKind, fleetKinds } from './kinds.ts';
import { refused, samples } from './testing/samples.ts';

// The definitions against a real API server: what it makes of defaults, what each rule refuses and in which words, and that
// every object it takes is one that the operator can read, and the other way round.

const signal = AbortSignal.timeout(280_000);

for (const kubernetes of await findKubernetesPrograms()) {
  test(
    `Kubernetes ${kubernetes.minor}: the definitions are taken, fill in defaults, and refuse what breaks a rule`,
    { skip: kubernetes.skip, timeout: 300_000 },
    () => prove(kubernetes),
  );
}

async function prove(kubernetes: KubernetesPrograms): Promise<void> {
  await using plane = await startControlPlane(kubernetes);
  const access = await readClusterAccess(plane.at('super-admin.conf'), undefined, signal);
  using connection = openKubeConnection(access);
  const crds = join(import.meta.dirname, '../../manifests/crds.yaml');
  await plane.kubectl('apply', '--server-side', '-f', crds);
  const text = await readFile(crds, 'utf8');
  for (const document of parseAllDocuments(text)) {
    const name = String(document.getIn(['metadata', 'name']));
    await plane.kubectl('wait', '--for=condition=Established', '--timeout=60s', `crd/${name}`);
    const crd = JSON.parse(await plane.kubectl('get', 'crd', name, '-o', 'json')) as {
      status: { conditions: { type: string; status: string; message: string }[] };
    };
    // An API server takes schemas that are not structural and says so in a condition alone.
    assert.deepEqual(
      crd.status.conditions.filter(({ type }) => type === 'NonStructuralSchema'),
      [],
    );
  }
  for (const kind of fleetKinds) await proveKind(kind, connection);
  for (const each of refused) await proveRefused(each, connection);
  await proveStatus(connection);
}

const pathOf = (plural: string, name = '') =>
  `/apis/${FLEET_GROUP}/${FLEET_VERSION}/${plural}${name === '' ? '' : `/${name}`}`;
const objectOf = (kind: string, name: string, rest: object) => ({
  ...{ apiVersion: `${FLEET_GROUP}/${FLEET_VERSION}`, kind, metadata: { name } },
  ...rest,
});
const withStatus = z.looseObject({ spec: z.unknown().optional(), status: z.unknown().optional() });

/** Objects of the schema, drawn at random within what a person could write, and what the API server made of them. */
async function proveKind({ kind, plural, spec }: FleetKind, connection: KubeConnection): Promise<void> {
  const drawn = samples[kind];
  assert.ok(drawn !== undefined, `no samples of ${kind}`);
  const all = fc.sample(drawn, { numRuns: 20, seed: 7 });
  for (const [index, given] of all.entries()) {
    const name = `sample-${index}`;
    const body = objectOf(kind, name, spec === undefined ? {} : { spec: given });
    const asked = {
      method: 'POST',
      path: pathOf(plural),
      body,
      query: { fieldValidation: 'Strict' },
    } as const;
    const stored = withStatus.parse(await askKube(connection, asked, signal));
    if (spec === undefined) continue;
    // What the API server filled in is what the schema would have: both read the object as the same.
    assert.deepEqual(stored.spec, spec.parse(given), `${kind} ${JSON.stringify(given)}`);
    assert.deepEqual(spec.parse(stored.spec), stored.spec);
  }
}

async function proveRefused(
  { what, kind, first, change, message }: (typeof refused)[number],
  connection: KubeConnection,
): Promise<void> {
  const plural = fleetKinds.find((each) => each.kind === kind)?.plural ?? '';
  const name = 'refused';
  const path = pathOf(plural);
  const create = (spec: unknown) =>
    askKube(connection, { method: 'POST', path, body: objectOf(kind, name, { spec }) }, signal);
  const expectRefused = (done: Promise<unknown>) =>
    assert.rejects(done, (error) => {
      assert.ok(error instanceof PlinthError, String(error));
      assert.equal(error.code, 'kube/invalid', what);
      assert.ok(error.message.includes(message), `${what}: ${error.message}`);
      return true;
    });
  if (change === undefined) return expectRefused(create(first));
  await create(first);
  const patch = { contentType: 'application/merge-patch+json', body: { spec: change } };
  await expectRefused(askKube(connection, { method: 'PATCH', path: pathOf(plural, name), ...patch }, signal));
  await askKube(connection, { method: 'DELETE', path: pathOf(plural, name) }, signal);
}

/** A ledger holds each node once, whatever a client sends; a status is written apart from its spec. */
async function proveStatus(connection: KubeConnection): Promise<void> {
  const entry = { node: 'a', uid: 'u', rollout: 'r', domain: 'z', since: '2026-11-22T00:00:00Z' };
  const put = (entries: readonly object[]) =>
    askKube(
      connection,
      {
        ...({ method: 'PATCH', path: `${pathOf('capacityledgers', 'sample-0')}/status` } as const),
        ...{ contentType: 'application/merge-patch+json', body: { status: { entries } } },
      },
      signal,
    );
  const stored = withStatus.parse(await put([entry]));
  assert.deepEqual(stored.status, { entries: [entry], epoch: 0 });
  await assert.rejects(put([entry, { ...entry, uid: 'v' }]), {
    code: 'kube/invalid',
    message: /[Dd]uplicate/,
  });
}
