import { compareUapiVersions } from '@plinth/base';

/** isNewer tells whether the left version comes after the right one (UAPI.10). */
export function isNewer(left: string, right: string): boolean {
  return compareUapiVersions(left, right) > 0;
}
