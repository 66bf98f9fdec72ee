/** A version of Kubernetes without its "v". */
export interface KubernetesVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

const VERSION = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** parseKubernetesVersion reads "1.37.1"; undefined for anything else, a "v" in front or a suffix included. */
export function parseKubernetesVersion(text: string): KubernetesVersion | undefined {
  const [, major, minor, patch] = VERSION.exec(text) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  return { major: Number(major), minor: Number(minor), patch: Number(patch) };
}

/** compareKubernetesVersions orders versions, oldest first; what is no version is older than all. */
export function compareKubernetesVersions(a: string, b: string): number {
  const [left, right] = [parseKubernetesVersion(a), parseKubernetesVersion(b)];
  if (!left || !right) return Number(left !== undefined) - Number(right !== undefined);
  return left.major - right.major || left.minor - right.minor || left.patch - right.patch;
}
