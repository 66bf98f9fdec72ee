import { type AttachmentView, projectAttachment } from '../../view/project/project-core.ts';
import { openReflector, type ReflectorParts } from './reflector.ts';

const NONE: readonly string[] = [];

/** Names of attachments by node. A node without any has no entry: it reads as none once they were listed, as unknown before. */
class AttachmentsByNode extends Map<string, readonly string[]> {
  readonly #isListed: () => boolean;

  constructor(isListed: () => boolean) {
    super();
    this.#isListed = isListed;
  }

  override get(node: string): readonly string[] | undefined {
    return super.get(node) ?? (this.#isListed() ? NONE : undefined);
  }

  override has(node: string): boolean {
    return this.get(node) !== undefined;
  }
}

/** openAttachments mirrors the VolumeAttachments of all nodes: they are few, and change with pods that have volumes. */
export function openAttachments(parts: ReflectorParts, changed: (node: string) => void) {
  const byNode = new AttachmentsByNode(() => reflector.isSynced);
  const reflector = openReflector<AttachmentView>(
    {
      path: '/apis/storage.k8s.io/v1/volumeattachments',
      ...{ key: ({ name }) => name, project: projectAttachment },
    },
    parts,
    (_key, now, before) => {
      if (before) {
        const left = (byNode.get(before.node) ?? NONE).filter((name) => name !== before.name);
        if (left.length > 0) byNode.set(before.node, left);
        else byNode.delete(before.node);
      }
      if (now) byNode.set(now.node, [...(byNode.get(now.node) ?? NONE), now.name]);
      for (const node of new Set([before?.node, now?.node])) if (node !== undefined) changed(node);
    },
  );
  return { reflector, byNode: byNode as ReadonlyMap<string, readonly string[]> };
}
