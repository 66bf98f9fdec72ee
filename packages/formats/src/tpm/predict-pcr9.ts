import { concatBytes, encodeText, sha256 } from '../bytes.ts';
import { CPIO_MAGIC, CPIO_TRAILER } from '../cpio/write-cpio.ts';
import type { Uki } from '../pe/read-uki.ts';
import type { Measurement } from './pcr.ts';

/** Sections that systemd-stub hands to the initrd as files of "/.extra", in its order (systemd-stub(7)). */
const HANDED_OVER = [
  { section: '.pcrsig', name: 'tpm2-pcr-signature.json' },
  { section: '.pcrpkey', name: 'tpm2-pcr-public-key.pem' },
  { section: '.osrel', name: 'os-release' },
  { section: '.profile', name: 'profile' },
] as const;

/**
 * measurePcr9 gives what Linux measures into PCR 9 when systemd-stub 257 starts it: its command line as UTF-16 with the
 * closing NUL, and the initrd, which is that of the UKI with the archives that the stub adds. On a machine where the stub
 * finds credentials or extensions beside the UKI, the initrd is another one.
 */
export function measurePcr9({ cmdline = '', sections }: Pick<Uki, 'cmdline' | 'sections'>): Measurement[] {
  const base = ['.ucode', '.initrd'].map((name) => sections.get(name) ?? new Uint8Array());
  const added = HANDED_OVER.flatMap(({ section, name }) => {
    const content = sections.get(section);
    return content?.length ? [extraFile(name, content)] : [];
  });
  const initrd = concatBytes([...base, ...added].map(padded));
  return [
    { what: 'kernel command line', digest: sha256(Buffer.from(`${cmdline}\0`, 'utf16le')) },
    { what: 'initrd', digest: sha256(initrd) },
  ];
}

const STEP_BYTES = 4;

function padded(bytes: Uint8Array): Uint8Array {
  return concatBytes([bytes, new Uint8Array(-bytes.length & (STEP_BYTES - 1))]);
}

/** The stub's own archive: one folder and one file, numbered from 1, each with one link, no times. */
function extraFile(name: string, data: Uint8Array): Uint8Array {
  return concatBytes([
    member('.extra', { inode: 1, mode: 0o040555 }),
    member(`.extra/${name}`, { inode: 2, mode: 0o100444 }, data),
    member(CPIO_TRAILER, { inode: 0, mode: 0 }),
  ]);
}

function member(
  path: string,
  { inode, mode }: { readonly inode: number; readonly mode: number },
  data: Uint8Array = new Uint8Array(),
): Uint8Array {
  const name = encodeText(`${path}\0`);
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  // The stub writes the trailer's length in capitals.
  const digits = fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  const head = encodeText(CPIO_MAGIC + (path === CPIO_TRAILER ? digits.toUpperCase() : digits));
  return concatBytes([padded(concatBytes([head, name])), padded(data)]);
}
