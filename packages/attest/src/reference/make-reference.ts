import {
  EFI_IMAGE_SECURITY_DATABASE,
  hex,
  type Measurement,
  measurePcr4,
  measurePcr7,
  measurePcr9,
  measurePcr11,
  measurePhases,
  readUki,
  type SecureBootState,
} from '@plinth/formats';
import { NEXT_ROOT } from './next-root.ts';
import type { Reference, ReferenceRegister } from './reference.ts';

/** What a release's measurements come from. */
export interface ReferenceInputs {
  readonly name: string;
  readonly version: string;
  readonly rootHash: string;
  readonly loader: Uint8Array;
  readonly uki: Uint8Array;
  /** The key variables of its machines, and the certificate that their boot files are trusted by. */
  readonly secureBoot: Pick<SecureBootState, 'pk' | 'kek' | 'db' | 'authorities'>;
}

/**
 * makeReference says what a release measures when it boots under Secure Boot with the owner's keys. Firmware's own
 * registers (0 to 3, 6) are not among them: they are the machine's, not the release's.
 * @throws formats/pe-invalid, formats/truncated, formats/limit
 */
export function makeReference(inputs: ReferenceInputs): Reference {
  const { loader, uki, secureBoot, name, version, rootHash } = inputs;
  const read = readUki(uki);
  const keys = measurePcr7({ ...secureBoot, enabled: true, dbx: new Uint8Array() });
  return {
    ...{ format: 1, name, version, rootHash },
    registers: [
      exact(4, 'boot loader and UKI', measurePcr4({ loader, uki, secureBoot: true })),
      {
        ...{ pcr: 7, meaning: 'Secure Boot state and keys', phases: [] },
        events: keys.map((key) => (key.what === 'variable dbx' ? ANY_DBX : eventOf(key))),
      },
      exact(8, 'commands of a boot loader', []),
      exact(9, 'kernel command line and initrd', measurePcr9(read)),
      {
        ...exact(11, 'parts of the UKI, and boot phases', measurePcr11(read.sections)),
        phases: measurePhases().map(eventOf),
      },
      exact(12, 'kernel arguments and credentials beside the UKI', []),
      exact(13, 'system extensions beside the UKI', []),
      exact(14, 'keys of a shim', []),
      {
        ...{ pcr: 15, meaning: 'machine id, and the root of a soft-reboot' },
        events: [{ what: 'machine id', textPrefix: 'machine-id:' }],
        phases: [{ what: 'root of a soft-reboot', textPrefix: NEXT_ROOT }],
      },
    ],
  };
}

/** Firmware vendors and updates fill it: it only ever refuses programs. What is in it is shown. */
const ANY_DBX: ReferenceRegister['events'][number] = {
  what: 'variable dbx',
  variable: { guid: EFI_IMAGE_SECURITY_DATABASE, name: 'dbx' },
};

function exact(pcr: number, meaning: string, measurements: readonly Measurement[]): ReferenceRegister {
  return { pcr, meaning, events: measurements.map(eventOf), phases: [] };
}

function eventOf({ what, digest }: Measurement): { what: string; sha256: string } {
  return { what, sha256: hex(digest) };
}
