import { z } from 'zod';
import type { KubeClient } from '../access/kube-client.ts';

type Labels = Readonly<Record<string, string>>;

/** Names of the labels that plinthd gave the node, so that it takes off those and no others. */
export const GIVEN = 'plinth.dev/labels';

const texts = z.record(z.string(), z.string()).optional();

/** What is looked at of a Node. */
export const nodeSchema = z.object({ metadata: z.object({ labels: texts, annotations: texts }) });

type NodeMetadata = z.infer<typeof nodeSchema>['metadata'];

/**
 * planLabels is the change (JSON merge patch) that gives a node its labels and takes off what plinthd gave it before;
 * undefined when there is nothing to do. Labels of others stay as they are.
 */
export function planLabels(
  { labels = {}, annotations = {} }: NodeMetadata,
  wanted: Labels,
): object | undefined {
  const names = Object.keys(wanted).sort().join(',');
  const given = (annotations[GIVEN] ?? '').split(',').filter((name) => name !== '');
  const change: Record<string, string | null> = {};
  for (const name of given)
    if (!Object.hasOwn(wanted, name) && Object.hasOwn(labels, name)) change[name] = null;
  for (const [name, value] of Object.entries(wanted)) if (labels[name] !== value) change[name] = value;
  const noted = annotations[GIVEN] ?? '';
  if (Object.keys(change).length === 0 && noted === names) return undefined;
  return { metadata: { labels: change, annotations: { [GIVEN]: names === '' ? null : names } } };
}

/** keepLabels gives the node its labels, once. Throws what the client throws. */
export async function keepLabels(
  client: Pick<KubeClient, 'find' | 'patch'>,
  nodeName: string,
  wanted: Labels,
): Promise<void> {
  const path = `/api/v1/nodes/${nodeName}`;
  // A node that has yet to register is looked for again later.
  const node = await client.find(path, nodeSchema);
  const change = node && planLabels(node.metadata, wanted);
  if (change) await client.patch(path, change);
}
