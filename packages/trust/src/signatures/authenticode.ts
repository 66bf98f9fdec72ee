import { attachCertificate, authenticodeDigest, readCertificates } from '@plinth/formats';
import type { Certificate } from '../certificate.ts';
import {
  algorithm,
  contextTag,
  der,
  derChildren,
  derTags,
  expectTag,
  objectIdentifier,
  octetString,
  readDer,
  sameBytes,
  sequence,
} from '../cms/der.ts';
import { contentInfo, encodeSignedData, oids } from '../cms/signed-data.ts';
import { asVerdict, readSignedMessage, verifySignedMessage } from '../cms/verify-signed-data.ts';
import type { Signer } from '../signer.ts';
import { type SignatureVerdict, signatureFails } from '../verdict.ts';

const SPC_INDIRECT_DATA = '1.3.6.1.4.1.311.2.1.4';
const SPC_PE_IMAGE_DATA = '1.3.6.1.4.1.311.2.1.15';

/**
 * signPe signs an EFI program for Secure Boot (Microsoft "Windows Authenticode Portable Executable Signature
 * Format"; UEFI 2.10, 32.2.4). No time is in it: the same program and key give the same bytes.
 * @throws formats/pe-invalid, formats/truncated, trust/signing-failed
 */
export async function signPe(signer: Signer, bytes: Uint8Array): Promise<Uint8Array> {
  const embedded = indirectData(authenticodeDigest(bytes));
  const signedData = await encodeSignedData(signer, {
    // The digest covers what is inside the outer sequence, not its tag and length.
    data: readDer(embedded).content,
    contentType: SPC_INDIRECT_DATA,
    embedded,
    signedAttributes: true,
    includeCertificate: true,
  });
  return attachCertificate(bytes, contentInfo(signedData));
}

/** verifyPe checks the signatures of an EFI program as firmware does: one by a trusted certificate is enough. */
export function verifyPe(bytes: Uint8Array, trusted: readonly Certificate[]): SignatureVerdict {
  return asVerdict(() => {
    const digest = authenticodeDigest(bytes);
    const verdicts = readCertificates(bytes).map((pkcs7) =>
      asVerdict(() => verifyOne(pkcs7, digest, trusted)),
    );
    const [first] = verdicts;
    return verdicts.find(({ verdict }) => verdict === 'pass') ?? first ?? signatureFails('it is not signed');
  });
}

function verifyOne(pkcs7: Uint8Array, digest: Uint8Array, trusted: readonly Certificate[]): SignatureVerdict {
  const message = readSignedMessage(pkcs7);
  if (!sameBytes(message.contentType, objectIdentifier(SPC_INDIRECT_DATA)) || !message.content) {
    return signatureFails('its signature is not an Authenticode signature');
  }
  const [, digestInfo] = derChildren(expectTag(message.content, derTags.sequence, 'indirect data'));
  const expected = sequence(algorithm(oids.sha256), octetString(digest));
  if (!sameBytes(expectTag(digestInfo, derTags.sequence, 'digest').bytes, expected)) {
    return signatureFails('its content is not what was signed');
  }
  return verifySignedMessage(message, message.content.content, trusted);
}

/** SpcIndirectDataContent: "this is a PE image" with the file link every signer leaves at "<<<Obsolete>>>", and its digest. */
function indirectData(digest: Uint8Array): Uint8Array {
  const obsolete = Buffer.from('<<<Obsolete>>>', 'utf16le').swap16();
  const link = der(contextTag(0), der(contextTag(2), der(0x80, obsolete)));
  const image = sequence(der(derTags.bitString, Uint8Array.of(0)), link);
  return sequence(
    sequence(objectIdentifier(SPC_PE_IMAGE_DATA), image),
    sequence(algorithm(oids.sha256), octetString(digest)),
  );
}
