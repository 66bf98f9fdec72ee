import {
  constants,
  createDecipheriv,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  sign,
} from 'node:crypto';
import { concatBytes, encodeText, fromHex, hex } from '@plinth/formats';
import { ATTESTED_PCRS, extraDataOf, pcrDigestOf } from '../challenge.ts';
import type { EvidenceParts, Exchange } from '../judge/judgement.ts';
import type { Registers } from '../log/replay.ts';
import { ALG, GENERATED, TAG } from '../tpm/constants.ts';
import { encodePcrSelection } from '../tpm/pcr-selection.ts';
import { akTemplate, ekTemplate, readPublicArea } from '../tpm/public-area.ts';
import { TpmReader } from '../tpm/tpm-reader.ts';
import { sized, u8, u16, u32 } from '../tpm/tpm-writer.ts';

/** Keys and signatures as a TPM makes them, without one: for tests of who judges them. tpm.tool.test.ts holds the forms against swtpm. */
export interface PaperTpm {
  /** TPMT_PUBLIC. */
  readonly ekPublic: Uint8Array;
  readonly akPublic: Uint8Array;
  quote(
    extraData: Uint8Array,
    registers: Registers,
  ): Pick<EvidenceParts, 'quoted' | 'signature' | 'registers'>;
  /** Opens a credential; undefined when it is not for these keys. */
  activate(credential: {
    readonly blob: Uint8Array;
    readonly encryptedSeed: Uint8Array;
  }): Uint8Array | undefined;
}

const ECC_UNIQUE_BYTES = 68;
const RSA_UNIQUE_BYTES = 258;

/** paperTpm makes new keys. */
export function paperTpm(): PaperTpm {
  const ak = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ek = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { x = '', y = '' } = ak.publicKey.export({ format: 'jwk' });
  const { n = '' } = ek.publicKey.export({ format: 'jwk' });
  const akPublic = concatBytes([akTemplate().slice(0, -ECC_UNIQUE_BYTES), number(x), number(y)]);
  const ekPublic = concatBytes([ekTemplate().slice(0, -RSA_UNIQUE_BYTES), number(n)]);
  return {
    ...{ akPublic, ekPublic },
    quote: (extraData, registers) => paperQuote(ak.privateKey, extraData, registers),
    activate: (credential) => activate(ek.privateKey, readPublicArea(akPublic).name, credential),
  };
}

function number(base64Url: string): Uint8Array {
  return sized(new Uint8Array(Buffer.from(base64Url, 'base64url')));
}

function paperQuote(key: KeyObject, extraData: Uint8Array, values: Registers) {
  const registers = ATTESTED_PCRS.map((index) => {
    return { index, sha256: fromHex(values.get(index) ?? '') ?? new Uint8Array() };
  });
  const quoted = concatBytes([
    ...[u32(GENERATED), u16(TAG.quote)],
    ...[sized(new Uint8Array(34)), sized(extraData)],
    ...[new Uint8Array(8), u32(1), u32(0), u8(1), new Uint8Array(8)],
    encodePcrSelection(ATTESTED_PCRS),
    sized(pcrDigestOf(registers.map(({ sha256 }) => sha256))),
  ]);
  const plain = sign('sha256', quoted, { key, dsaEncoding: 'ieee-p1363' });
  const [r, s] = [new Uint8Array(plain.subarray(0, 32)), new Uint8Array(plain.subarray(32))];
  return { registers, quoted, signature: concatBytes([u16(ALG.ecdsa), u16(ALG.sha256), sized(r), sized(s)]) };
}

/** TPM2_ActivateCredential (part 1, "Credential protection"). */
function activate(
  key: KeyObject,
  akName: Uint8Array,
  { blob, encryptedSeed }: { readonly blob: Uint8Array; readonly encryptedSeed: Uint8Array },
): Uint8Array | undefined {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const options = { key, padding, oaepHash: 'sha256', oaepLabel: Buffer.from('IDENTITY\0') };
  const seed = privateDecrypt(options, new TpmReader(encryptedSeed, 'seed').sized());
  const outer = new TpmReader(new TpmReader(blob, 'credential').sized(), 'credential');
  const [mac, identity] = [outer.sized(), outer.rest()];
  const derive = (label: string, context: Uint8Array, bits: number) =>
    createHmac('sha256', seed)
      .update(concatBytes([u32(1), encodeText(`${label}\0`), context, u32(bits)]))
      .digest()
      .subarray(0, bits / 8);
  const macKey = derive('INTEGRITY', new Uint8Array(), 256);
  const expected = createHmac('sha256', macKey).update(identity).update(akName).digest();
  if (hex(expected) !== hex(mac)) return undefined;
  const cipher = createDecipheriv('aes-128-cfb', derive('STORAGE', akName, 128), new Uint8Array(16));
  return new TpmReader(concatBytes([cipher.update(identity), cipher.final()]), 'secret').sized();
}

/** paperEvidence is a whole answer of a node with that TPM. */
export function paperEvidence(
  tpm: PaperTpm,
  exchange: Pick<Exchange, 'nonce' | 'channel'>,
  parts: Pick<EvidenceParts, 'firmwareLog' | 'systemLog' | 'facts'> & { readonly registers: Registers },
): EvidenceParts {
  const { registers, firmwareLog, systemLog, facts } = parts;
  const quote = tpm.quote(extraDataOf({ ...exchange, facts }), registers);
  return { ...quote, akPublic: tpm.akPublic, firmwareLog, systemLog, facts };
}
