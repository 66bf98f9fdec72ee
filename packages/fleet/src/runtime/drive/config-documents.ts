import { createHash } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import { askKube, type KubeConnection } from '@plinth/kube';
import type { ReleaseSpec, Target } from '../../objects/index.ts';
import { rawAt } from '../../view/project/raw.ts';

export interface ConfigDocumentsParts {
  readonly connection: KubeConnection;
  release(name: string): ReleaseSpec | undefined;
}

/** Texts that are kept: those of the releases under way. */
const KEPT = 8;

/**
 * openConfigDocuments gives the documents of the machine config that a release brings, from the ConfigMap it names, as the digest in the
 * release says: what somebody changed there since is nobody's release.
 */
export function openConfigDocuments({ connection, release }: ConfigDocumentsParts, signal: AbortSignal) {
  const kept = new Map<string, Uint8Array>();

  /** @throws fleet/config-documents; kube/… */
  return async ({ release: name, configDigest }: Target): Promise<Uint8Array> => {
    const known = kept.get(configDigest);
    if (known) return known;
    const config = release(name)?.config;
    if (config?.digest !== configDigest) throw refused(name, 'there is no such release any more');
    const { namespace, name: map, key } = config.configMap;
    const path = `/api/v1/namespaces/${namespace}/configmaps/${map}`;
    const answer = await askKube(connection, { method: 'GET', path }, signal);
    const text = rawAt(answer, 'data')[key];
    const place = `the ConfigMap ${namespace}/${map}`;
    if (typeof text !== 'string') throw refused(name, `${place} has no key ${key}`);
    const digest = createHash('sha256').update(text).digest('hex');
    if (digest !== configDigest)
      throw refused(name, `${key} of ${place} has the SHA-256 ${digest}, the release names ${configDigest}`);
    const documents = Buffer.from(text);
    kept.set(configDigest, documents);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value ?? '');
    return documents;
  };
}

function refused(release: string, state: string): PlinthError {
  return new PlinthError(
    'fleet/config-documents',
    `Cannot bring the config of release ${release}: ${state}, expected what the release names`,
  );
}
