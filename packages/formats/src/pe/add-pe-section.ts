import { PlinthError } from '@plinth/base';
import { alignUp, encodeText } from '../bytes.ts';
import { PE_SECTION_LIMIT, readPe, SECTION_HEADER_BYTES } from './read-pe.ts';

const NAME_LIMIT_BYTES = 8;
/** IMAGE_SCN_CNT_INITIALIZED_DATA and IMAGE_SCN_MEM_READ: data that is loaded and never executed. */
const READ_ONLY_DATA = 0x4000_0040;

/**
 * addPeSection gives a new file with one more section of read-only data behind the others, as ukify adds its sections.
 * So `.pcrsig` can be put into a finished UKI: it is not measured, and what is measured must be known before it.
 * The checksum is set to zero: signing sets it.
 * @throws formats/pe-invalid when the file is signed already, has the section, or has no room in its headers
 */
export function addPeSection(bytes: Uint8Array, name: string, data: Uint8Array): Uint8Array {
  const file = readPe(bytes);
  const { sections, sectionTableOffset, fileAlignment, sectionAlignment, headersSizeBytes } = file;
  const refuse = (state: string) => {
    return new PlinthError('formats/pe-invalid', `Cannot add section ${name} to EFI program: ${state}`);
  };
  const headerAt = sectionTableOffset + sections.length * SECTION_HEADER_BYTES;
  const lastSection = sections.at(-1);
  if (file.certificates.sizeBytes > 0) throw refuse('it is signed, expected to sign it afterwards');
  if (sections.some((section) => section.name === name)) throw refuse('it has one, expected none');
  if (encodeText(name).length > NAME_LIMIT_BYTES || data.length === 0)
    throw refuse('an unfit name or no data');
  if (headerAt + SECTION_HEADER_BYTES > headersSizeBytes || sections.length >= PE_SECTION_LIMIT) {
    throw refuse('its headers are full, expected room for one more');
  }
  if (!lastSection || fileAlignment === 0 || sectionAlignment === 0)
    throw refuse('it has no layout to continue');

  const fileOffset = alignUp(bytes.length, fileAlignment);
  const fileSizeBytes = alignUp(data.length, fileAlignment);
  const address = alignUp(lastSection.virtualAddress + lastSection.virtualSizeBytes, sectionAlignment);
  const extended = new Uint8Array(fileOffset + fileSizeBytes);
  extended.set(bytes);
  extended.set(data, fileOffset);
  const view = new DataView(extended.buffer);
  extended.fill(0, headerAt, headerAt + SECTION_HEADER_BYTES);
  extended.set(encodeText(name), headerAt);
  const fields = [data.length, address, fileSizeBytes, fileOffset];
  for (const [index, value] of fields.entries()) view.setUint32(headerAt + 8 + 4 * index, value, true);
  view.setUint32(headerAt + 36, READ_ONLY_DATA, true);

  const { coffHeaderOffset, optionalHeaderOffset, checksumOffset } = file;
  view.setUint16(coffHeaderOffset + 2, sections.length + 1, true);
  const initializedAt = optionalHeaderOffset + 8;
  view.setUint32(initializedAt, view.getUint32(initializedAt, true) + data.length, true);
  view.setUint32(optionalHeaderOffset + 56, alignUp(address + data.length, sectionAlignment), true);
  view.setUint32(checksumOffset, 0, true);
  return extended;
}
