import type { ReferenceInputs } from '@plinth/attest';
import type { PublicKeys } from '@plinth/trust';

/** What firmware with the owner's keys measures of them: the key variables, and the certificate of the boot files. */
export type SecureBootKeys = ReferenceInputs['secureBoot'];

/** secureBootKeys gives them of a key folder. */
export function secureBootKeys(keys: PublicKeys): SecureBootKeys {
  const { PK: pk, KEK: kek, db } = keys.efiVariables;
  return { pk, kek, db, authorities: keys.certificates('boot').slice(0, 1).map(keys.efiSignature) };
}
