import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import type { KubeClient } from '../../access/kube-client.ts';

const created = z.looseObject({
  metadata: z.looseObject({ name: z.string(), labels: z.record(z.string(), z.string()).optional() }),
});
const patched = z.object({ data: z.record(z.string(), z.string()) });
type Stored = z.infer<typeof created>;

/** memoryKube is an API server that keeps objects by path; lists know one label. */
export function memoryKube(): { readonly client: KubeClient; readonly objects: Map<string, Stored> } {
  const objects = new Map<string, Stored>();
  const client: KubeClient = {
    async get(path, schema) {
      const folder = `${path.split('?')[0]}/`;
      const label = /labelSelector=([^&]+)/.exec(path)?.[1];
      if (label === undefined) return schema.parse(objects.get(path));
      const below = [...objects].filter(([key]) => key.startsWith(folder)).map(([, object]) => object);
      return schema.parse({ items: below.filter(({ metadata }) => label in (metadata.labels ?? {})) });
    },
    find: async (path, schema) => (objects.has(path) ? schema.parse(objects.get(path)) : undefined),
    async create(path, object) {
      const stored = created.parse(object);
      const key = `${path}/${stored.metadata.name}`;
      if (objects.has(key)) {
        const details = { status: 409 };
        throw new PlinthError('kubernetes/api-refused', `Cannot create ${key}: it is there`, { details });
      }
      objects.set(key, stored);
    },
    async patch(path, change) {
      const before = objects.get(path);
      if (!before) throw new PlinthError('kubernetes/api-refused', `Cannot change ${path}: not there`);
      objects.set(path, { ...before, ...patched.parse(change) });
    },
    async replace(path, object) {
      objects.set(path, created.parse(object));
    },
    async remove(path) {
      objects.delete(path);
    },
    close: () => {},
  };
  return { client, objects };
}
