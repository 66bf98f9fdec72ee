import { stringify } from 'yaml';

/** renderManifests writes objects as the YAML that "kubectl apply -f" takes. */
export function renderManifests(objects: readonly object[]): string {
  // No anchors: objects that share a part are written whole, as people and tools of GitOps expect.
  return objects
    .map((object) => `---\n${stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 })}`)
    .join('');
}
