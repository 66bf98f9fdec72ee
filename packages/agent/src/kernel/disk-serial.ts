import { readText, type Sys } from '../sys/sys.ts';

/** The kernel keeps no more of a page of vital product data. */
const PAGE_BYTES = 4096;
const HEADER_BYTES = 4;
const UNIT_SERIAL_NUMBER = 0x80;

/**
 * readDiskSerial reads the serial number of a disk: NVMe and MMC have it in a file of their device, virtio in one of the
 * disk, SCSI, and ATA by it, in a page of vital product data.
 * @param folder of the disk: /sys/block/NAME
 * @returns "" for a disk that tells none
 */
export async function readDiskSerial(sys: Pick<Sys, 'readFile'>, folder: string): Promise<string> {
  for (const file of ['device/serial', 'serial']) {
    const text = ((await readText(sys, `${folder}/${file}`).catch(() => '')) ?? '').trim();
    if (text !== '') return text;
  }
  const page = await sys.readFile(`${folder}/device/vpd_pg80`, PAGE_BYTES).catch(() => undefined);
  return page === undefined ? '' : parseUnitSerial(page);
}

/** parseUnitSerial reads the page "Unit Serial Number" (SPC-4, 7.8.18); "" for another page, or none that is text. Pure. */
export function parseUnitSerial(page: Buffer): string {
  if (page.length < HEADER_BYTES || page.readUInt8(1) !== UNIT_SERIAL_NUMBER) return '';
  const text = page.toString('latin1', HEADER_BYTES, HEADER_BYTES + page.readUInt16BE(2));
  const [, serial = ''] = /^[\0 ]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)[\0 ]*$/.exec(text) ?? [];
  return serial;
}
