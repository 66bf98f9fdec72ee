import { readText, type Sys } from '../../sys/sys.ts';
import { type DmiField, type MetadataService, metadataServices } from './services.ts';

const DMI = '/sys/class/dmi/id';
const FIELDS: readonly DmiField[] = ['bios_vendor', 'chassis_asset_tag', 'product_name', 'sys_vendor'];

/**
 * detectService tells which cloud the firmware says this machine is of; undefined when none of them. No address is
 * asked to find out: on a machine of one's own, anybody on the cable could answer.
 */
export async function detectService(
  sys: Sys,
  services: readonly MetadataService[] = metadataServices,
): Promise<MetadataService | undefined> {
  const said = new Map<DmiField, string>();
  for (const field of FIELDS) {
    // Firmware may lack a field, and a driver may refuse to read one; both say nothing about the cloud.
    const text = await readText(sys, `${DMI}/${field}`).catch(() => undefined);
    if (text !== undefined) said.set(field, text.trim());
  }
  return services.find(({ dmi }) => dmi.some(({ field, is }) => is.some((word) => said.get(field) === word)));
}
