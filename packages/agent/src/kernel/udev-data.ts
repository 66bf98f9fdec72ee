import { readText, type Sys } from '../sys/sys.ts';
import { parseKeyValues } from './key-values.ts';

/**
 * udevProperties reads what udev found about a device: empty when it has not looked at it yet. It keeps lines "E:KEY=value".
 * @param id "b" or "c", and "major:minor"
 */
export async function udevProperties(
  sys: Pick<Sys, 'readFile'>,
  id: string,
): Promise<ReadonlyMap<string, string>> {
  const text = (await readText(sys, `/run/udev/data/${id}`)) ?? '';
  return parseKeyValues(text.replace(/^E:/gm, ''));
}
