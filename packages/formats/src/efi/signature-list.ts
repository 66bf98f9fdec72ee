import { ByteView } from '../byte-view.ts';
import { concatBytes } from '../bytes.ts';
import { decodeGuid, encodeGuid } from './guid.ts';

/** One X.509 certificate of PK, KEK or db, and who put it there. */
export interface EfiSignature {
  readonly ownerGuid: string;
  readonly certificateDer: Uint8Array;
}

const EFI_CERT_X509_GUID = 'a5c059a1-94e4-4aa7-87b5-ab155c2bf072';
/** Kinds of entries that db and dbx have (UEFI 2.10, 32.4.1); those of a certificate's hash end with the time of its revocation. */
export const EFI_LIST_TYPES = {
  certificate: EFI_CERT_X509_GUID,
  imageHash: 'c1c41626-504c-4092-aca9-41f936934328',
  certificateHash: {
    sha256: '3bd2a492-96c0-4079-b420-fcf98ef103ed',
    sha384: '7076876e-80c2-4ee6-aad2-28b349a6865b',
    sha512: '446dbf63-2502-4cda-bcfa-2465d2b0fe9d',
  },
} as const;
const LIST_HEADER_BYTES = 28;
const GUID_BYTES = 16;
const SIGNATURE_LIMIT = 4096;

/** encodeSignatureLists gives the content of an EFI key variable: one EFI_SIGNATURE_LIST a certificate (UEFI 2.10, 32.4.1). */
export function encodeSignatureLists(signatures: readonly EfiSignature[]): Uint8Array {
  return concatBytes(
    signatures.map((signature) => {
      const entry = encodeEfiSignature(signature);
      const head = new Uint8Array(LIST_HEADER_BYTES);
      const view = new DataView(head.buffer);
      head.set(encodeGuid(EFI_CERT_X509_GUID));
      view.setUint32(16, LIST_HEADER_BYTES + entry.length, true);
      view.setUint32(24, entry.length, true);
      return concatBytes([head, entry]);
    }),
  );
}

/** encodeEfiSignature gives one EFI_SIGNATURE_DATA, as firmware measures it into PCR 7 when it trusts a program by it. */
export function encodeEfiSignature({ ownerGuid, certificateDer }: EfiSignature): Uint8Array {
  return concatBytes([encodeGuid(ownerGuid), certificateDer]);
}

/** One entry of a key variable of the firmware, of whatever kind. */
export interface EfiListEntry {
  /** GUID of its kind (UEFI 2.10, 32.4.1). */
  readonly type: string;
  readonly ownerGuid: string;
  readonly data: Uint8Array;
}

/**
 * readEfiList gives all entries of an EFI key variable (db, dbx).
 * @throws formats/truncated, formats/limit
 */
export function readEfiList(bytes: Uint8Array): EfiListEntry[] {
  const view = new ByteView(bytes, { what: 'EFI signature list' });
  const found: EfiListEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [listBytes, headerBytes, entryBytes] = [view.u32(at + 16), view.u32(at + 20), view.u32(at + 24)];
    const list = view.slice(at, listBytes);
    const entriesAt = LIST_HEADER_BYTES + headerBytes;
    if (
      entryBytes < GUID_BYTES ||
      entriesAt > listBytes ||
      (listBytes - entriesAt) / entryBytes > SIGNATURE_LIMIT
    ) {
      throw view.fault(
        'formats/limit',
        `entries of ${entryBytes} bytes in ${listBytes}, expected a sound list`,
      );
    }
    const type = decodeGuid(list.subarray(0, GUID_BYTES));
    for (let entry = entriesAt; entry + entryBytes <= listBytes; entry += entryBytes) {
      found.push({
        type,
        ownerGuid: decodeGuid(list.subarray(entry, entry + GUID_BYTES)),
        data: new Uint8Array(list.subarray(entry + GUID_BYTES, entry + entryBytes)),
      });
    }
    at += listBytes;
  }
  return found;
}

/** readSignatureLists gives the X.509 certificates of an EFI key variable; hashes and other kinds are passed over. @throws as readEfiList */
export function readSignatureLists(bytes: Uint8Array): EfiSignature[] {
  return readEfiList(bytes)
    .filter(({ type }) => type === EFI_CERT_X509_GUID)
    .map(({ ownerGuid, data }) => ({ ownerGuid, certificateDer: data }));
}
