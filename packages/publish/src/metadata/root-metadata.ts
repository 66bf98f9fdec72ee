import { currentUpdateKeys, type UpdateKeyRing, type UpdateRole } from '@plinth/trust';
import { Root } from '@tufjs/models';
import { formatExpiry, lifetimesMs } from './lifetimes.ts';
import { keyDocument } from './sign-metadata.ts';

/** The roles whose keys root names; images' are named by targets. */
const ROOT_ROLES = ['root', 'targets', 'snapshot', 'timestamp'] as const satisfies readonly UpdateRole[];

/** makeRoot writes down which keys of the ring count from this version on, to be signed. */
export function makeRoot(ring: UpdateKeyRing, now: Date): Root {
  const keysOf = (role: UpdateRole) => currentUpdateKeys(ring, role);
  return Root.fromJSON({
    spec_version: SPEC_VERSION,
    version: ring.rootVersion,
    expires: formatExpiry(now, lifetimesMs.root),
    consistent_snapshot: true,
    keys: Object.fromEntries(ROOT_ROLES.flatMap(keysOf).map((key) => [key.keyId, keyDocument(key)])),
    roles: Object.fromEntries(
      ROOT_ROLES.map((role) => [
        role,
        { keyids: keysOf(role).map(({ keyId }) => keyId), threshold: ring.thresholds[role] },
      ]),
    ),
  });
}

/** The version of the specification that our documents follow. */
export const SPEC_VERSION = '1.0.31';
