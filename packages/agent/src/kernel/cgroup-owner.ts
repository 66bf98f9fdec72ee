/** Whom a control group belongs to; "" for what it does not have. */
export interface CgroupOwner {
  /** Unit of systemd; "" within pods. */
  readonly unit: string;
  readonly podUid: string;
  readonly containerId: string;
}

const UNIT = /\.(service|scope|socket|mount|swap)$/;

/**
 * cgroupOwner reads the path of a control group. Pods are named as the kubelet names them with the systemd driver
 * ("kubepods-burstable-podUID.slice", with "_" for "-") or without ("podUID"), containers by their id of 64 digits.
 */
export function cgroupOwner(path: string): CgroupOwner {
  const parts = path.split('/').filter((part) => part !== '');
  const podUid = parts.map(podOf).find((uid) => uid !== '') ?? '';
  if (podUid !== '')
    return { unit: '', podUid, containerId: /([0-9a-f]{64})/.exec(parts.at(-1) ?? '')?.[1] ?? '' };
  return { unit: parts.find((part) => UNIT.test(part)) ?? '', podUid: '', containerId: '' };
}

/** The uid is a UUID, or 32 digits for pods that the kubelet reads from files. */
function podOf(part: string): string {
  const match =
    /^(?:kubepods-(?:[a-z]+-)?)?pod([0-9a-f]{8}(?:[-_]?[0-9a-f]{4}){3}[-_]?[0-9a-f]{12})(?:\.slice)?$/.exec(
      part,
    );
  return (match?.[1] ?? '').replaceAll('_', '-');
}
