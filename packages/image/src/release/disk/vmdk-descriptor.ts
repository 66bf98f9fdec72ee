import { PlinthError } from '@plinth/base';

/** Where a stream-optimized VMDK keeps its descriptor: from the second sector, ended and padded with NULs. */
export const VMDK_DESCRIPTOR_OFFSET = 512;
export const VMDK_DESCRIPTOR_BYTES = 20 * 512;

/**
 * fixVmdkDescriptor gives the descriptor with a chosen content identity and file name: qemu-img draws a random identity
 * and writes down the name of the file while it was unfinished.
 * @param identity `cid`: eight hexadecimal digits; `name`: the file's name once it is finished
 * @throws release/disk-format when the bytes hold no descriptor
 */
export function fixVmdkDescriptor(
  descriptor: Uint8Array,
  identity: { readonly cid: string; readonly name: string },
): Uint8Array {
  const { cid, name } = identity;
  const text = Buffer.from(descriptor).toString('latin1').replace(/\0+$/, '');
  const fixed = text
    .replace(/^CID=[0-9a-f]{1,8}$/m, `CID=${cid}`)
    .replace(/^(RW \d+ SPARSE) "[^"\n]*"$/m, (_, extent: string) => `${extent} "${name}"`);
  const isWhole = fixed.includes(`\nCID=${cid}\n`) && fixed.includes(` SPARSE "${name}"\n`);
  if (!text.startsWith('# Disk DescriptorFile') || !isWhole || fixed.length > descriptor.length) {
    const state = 'its descriptor is not the one qemu-img writes, expected an identity and one sparse extent';
    throw new PlinthError('release/disk-format', `Cannot fix the VMDK: ${state}`);
  }
  const padded = Buffer.alloc(descriptor.length);
  padded.write(fixed, 'latin1');
  return padded;
}
