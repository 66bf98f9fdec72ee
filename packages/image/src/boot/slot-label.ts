import type { OsSpec } from '../spec/os-spec.ts';

/** slotLabel is the label of a slot's root partition; "_verity" and "_sig" follow it on the others. */
export function slotLabel({ name, version }: Pick<OsSpec, 'name' | 'version'>): string {
  return `${name}_${version}`;
}
