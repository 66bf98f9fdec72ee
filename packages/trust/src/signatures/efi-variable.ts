import { concatBytes, encodeGuid } from '@plinth/formats';
import { encodeSignedData } from '../cms/signed-data.ts';
import type { Signer } from '../signer.ts';

const EFI_GLOBAL_VARIABLE = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const EFI_IMAGE_SECURITY_DATABASE = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';
const EFI_CERT_TYPE_PKCS7 = '4aafd29d-68df-49ee-8aa9-347d375665a7';
const WIN_CERT_REVISION = 0x0200;
const WIN_CERT_TYPE_EFI_GUID = 0x0ef1;
/** Non-volatile, boot and runtime access, time-based authenticated write. */
const ATTRIBUTES = 0x27;

export type EfiKeyVariable = 'PK' | 'KEK' | 'db' | 'dbx';

/**
 * signEfiVariable makes the `.auth` file that firmware and systemd-boot enrol a key variable from:
 * EFI_VARIABLE_AUTHENTICATION_2 and the new content (UEFI 2.10, 8.2.2).
 * @param signer the key above: PK for PK itself and KEK, KEK for db and dbx
 * @param content EFI signature lists
 * @param time firmware refuses a time that is not later than that of the content it has
 * @throws trust/signing-failed
 */
export async function signEfiVariable(
  signer: Signer,
  variable: EfiKeyVariable,
  content: Uint8Array,
  time: Date,
): Promise<Uint8Array> {
  const global = variable === 'PK' || variable === 'KEK';
  const attributes = new Uint8Array(4);
  new DataView(attributes.buffer).setUint32(0, ATTRIBUTES, true);
  const signedData = await encodeSignedData(signer, {
    data: concatBytes([
      Buffer.from(variable, 'utf16le'),
      encodeGuid(global ? EFI_GLOBAL_VARIABLE : EFI_IMAGE_SECURITY_DATABASE),
      attributes,
      efiTime(time),
      content,
    ]),
    signedAttributes: false,
    includeCertificate: true,
  });
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  view.setUint32(0, 24 + signedData.length, true);
  view.setUint16(4, WIN_CERT_REVISION, true);
  view.setUint16(6, WIN_CERT_TYPE_EFI_GUID, true);
  return concatBytes([efiTime(time), header, encodeGuid(EFI_CERT_TYPE_PKCS7), signedData, content]);
}

/** EFI_TIME in UTC; what is finer than a second, and the zone, must be zero here. */
function efiTime(time: Date): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint16(0, time.getUTCFullYear(), true);
  const rest = [
    time.getUTCMonth() + 1,
    time.getUTCDate(),
    time.getUTCHours(),
    time.getUTCMinutes(),
    time.getUTCSeconds(),
  ];
  bytes.set(rest, 2);
  return bytes;
}
