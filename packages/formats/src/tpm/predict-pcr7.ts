import { concatBytes, sha256 } from '../bytes.ts';
import { encodeGuid } from '../efi/guid.ts';
import { type EfiSignature, encodeEfiSignature } from '../efi/signature-list.ts';
import { type Measurement, replayMeasurements } from './pcr.ts';
import { SEPARATOR } from './predict-pcr4.ts';

const EFI_GLOBAL_VARIABLE = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
/** GUID of db and dbx. */
export const EFI_IMAGE_SECURITY_DATABASE = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';

/** The Secure Boot state of a machine: contents of its key variables, and what its programs are trusted by. */
export interface SecureBootState {
  readonly enabled: boolean;
  readonly pk: Uint8Array;
  readonly kek: Uint8Array;
  readonly db: Uint8Array;
  readonly dbx: Uint8Array;
  /** Entries of db that verified a program, in the order they were first needed. */
  readonly authorities: readonly EfiSignature[];
}

/**
 * measurePcr7 gives what is measured into PCR 7: the key variables, a separator, then each db entry that let a program
 * run, once (TCG PC Client Platform Firmware Profile, 3.3.4.8). A variable that does not exist is measured empty.
 */
export function measurePcr7(state: SecureBootState): Measurement[] {
  const enabled = Uint8Array.of(state.enabled ? 1 : 0);
  return [
    measureVariable(EFI_GLOBAL_VARIABLE, 'SecureBoot', enabled),
    measureVariable(EFI_GLOBAL_VARIABLE, 'PK', state.pk),
    measureVariable(EFI_GLOBAL_VARIABLE, 'KEK', state.kek),
    measureVariable(EFI_IMAGE_SECURITY_DATABASE, 'db', state.db),
    measureVariable(EFI_IMAGE_SECURITY_DATABASE, 'dbx', state.dbx),
    SEPARATOR,
    ...state.authorities.map((authority) => ({
      ...measureVariable(EFI_IMAGE_SECURITY_DATABASE, 'db', encodeEfiSignature(authority)),
      what: 'certificate of db that the boot files were trusted by',
    })),
  ];
}

/** predictPcr7 gives the SHA-256 value of PCR 7 after measurePcr7. */
export function predictPcr7(state: SecureBootState): Uint8Array {
  return replayMeasurements(measurePcr7(state));
}

/** The digest is of a UEFI_VARIABLE_DATA: GUID, length of the name in characters, length of the data, name in UTF-16, data. */
function measureVariable(guid: string, name: string, data: Uint8Array): Measurement {
  const lengths = new Uint8Array(16);
  const view = new DataView(lengths.buffer);
  view.setBigUint64(0, BigInt(name.length), true);
  view.setBigUint64(8, BigInt(data.length), true);
  const digest = sha256(concatBytes([encodeGuid(guid), lengths, Buffer.from(name, 'utf16le'), data]));
  return { what: `variable ${name}`, digest };
}
