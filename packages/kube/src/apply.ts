import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import type { KubeConnection, KubeRequest } from './connection.ts';
import { askKube } from './status.ts';

/** An object to apply: whatever "kubectl apply -f" takes. */
const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
const resourcesSchema = z.looseObject({
  resources: z.array(z.looseObject({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});

/** Finds where objects of a kind are, by what the API server tells of its groups. */
export interface KindMap {
  /** Path of one object. @throws kube/not-found when the server does not serve the kind */
  pathOf(object: object, signal: AbortSignal): Promise<string>;
}

/** openKindMap asks the API server for each group once. */
export function openKindMap(connection: KubeConnection): KindMap {
  const known = new Map<string, z.infer<typeof resourcesSchema>['resources']>();
  return {
    async pathOf(object, signal) {
      const { apiVersion, kind, metadata } = objectSchema.parse(object);
      const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
      let resources = known.get(base);
      if (resources === undefined) {
        const answer = await askKube(connection, { method: 'GET', path: base }, signal);
        resources = resourcesSchema.parse(answer).resources;
        known.set(base, resources);
      }
      const found = resources.find((each) => each.kind === kind && !each.name.includes('/'));
      if (found === undefined)
        throw new PlinthError('kube/not-found', `Cannot find kind ${kind}: ${apiVersion} does not have it`);
      const place = found.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
      return `${base}${place}/${found.name}/${metadata.name}`;
    },
  };
}

/**
 * applyObject makes an object what it is given as, by server-side apply: fields that others own stay, unless given here.
 * @param fieldManager under which name the fields are ours
 * @throws as askKube
 */
export async function applyObject(
  connection: KubeConnection,
  kinds: KindMap,
  object: object,
  fieldManager: string,
  signal: AbortSignal,
): Promise<void> {
  const asked: KubeRequest = {
    method: 'PATCH',
    path: await kinds.pathOf(object, signal),
    query: { fieldManager, force: 'true', fieldValidation: 'Strict' },
    body: object,
    // JSON is YAML.
    contentType: 'application/apply-patch+yaml',
  };
  await askKube(connection, asked, signal);
}

/** deleteObject deletes an object; true when there was one. What belongs to it goes with it. @throws as askKube */
export async function deleteObject(
  connection: KubeConnection,
  kinds: KindMap,
  object: object,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const path = await kinds.pathOf(object, signal);
    await askKube(connection, { method: 'DELETE', path, query: { propagationPolicy: 'Background' } }, signal);
    return true;
  } catch (reason) {
    if (reason instanceof PlinthError && reason.code === 'kube/not-found') return false;
    throw reason;
  }
}
