/** Structure types of SMBIOS 3.7 that are read here. */
const OEM_STRINGS = 11;
const END_OF_TABLE = 127;

/**
 * parseOemStrings gives the strings of all type 11 structures of a raw SMBIOS table. A truncated or senseless table
 * gives the strings found up to the damage: it comes from outside and must not stop the agent.
 * Source: SMBIOS 3.7 (DSP0134), 6.1.2 "Structure header format", 6.1.3 "Text strings", 7.12 "OEM Strings".
 */
export function parseOemStrings(table: Buffer): readonly string[] {
  const found: string[] = [];
  let offset = 0;
  while (offset + 4 <= table.length) {
    const type = table.readUInt8(offset);
    const length = table.readUInt8(offset + 1);
    if (length < 4) break;
    const { strings, next } = readStrings(table, offset + length);
    if (type === OEM_STRINGS) found.push(...strings);
    if (type === END_OF_TABLE) break;
    offset = next;
  }
  return found;
}

/** The strings after a structure: each ends with a NUL, the set with one more; an empty set is two NULs. */
function readStrings(table: Buffer, start: number): { strings: string[]; next: number } {
  const strings: string[] = [];
  let offset = start;
  while (offset < table.length) {
    const end = table.indexOf(0, offset);
    if (end < 0) return { strings, next: table.length };
    if (end === offset) return { strings, next: strings.length === 0 ? offset + 2 : offset + 1 };
    strings.push(table.toString('latin1', offset, end));
    offset = end + 1;
  }
  return { strings, next: table.length };
}
