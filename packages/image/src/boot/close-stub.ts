import { PlinthError } from '@plinth/base';

/** The SMBIOS string whose text systemd-stub adds to the kernel command line, under Secure Boot too (systemd-stub(7)). */
const OPENING = Buffer.from('io.systemd.stub.kernel-cmdline-extra\0', 'latin1');

/**
 * closeStub blanks the name of the SMBIOS string that adds kernel arguments, so that no string of a machine's definition
 * matches it. With it, whoever defines the machine could start units of their own as root. See docs/adr/0005.
 * @param stub systemd's UKI stub, as Debian ships it
 * @throws image/stub-unknown when the name is not there exactly once: then this stub must be looked at by a person
 */
export function closeStub(stub: Uint8Array): Uint8Array {
  const closed = Buffer.from(stub);
  const at = closed.indexOf(OPENING);
  if (at < 0 || closed.indexOf(OPENING, at + 1) >= 0) {
    const state = at < 0 ? 'it is not there' : 'it is there more than once';
    throw new PlinthError(
      'image/stub-unknown',
      `Cannot close the UKI stub for kernel arguments of SMBIOS: ${state}, expected it once`,
    );
  }
  return closed.fill('#', at, at + OPENING.length - 1);
}
