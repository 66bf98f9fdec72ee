/** Vendor of the variables that UEFI defines (UEFI 2.10, 3.3). */
export const EFI_GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
/** Vendor of the variables systemd-boot and the stub set (systemd, BOOT_LOADER_INTERFACE). */
export const EFI_LOADER = '4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';

/** efiVariablePath gives the file of a variable in efivarfs. */
export function efiVariablePath(name: string, vendor: string): string {
  return `/sys/firmware/efi/efivars/${name}-${vendor}`;
}

/** Each file of efivarfs starts with four bytes of attributes. */
const ATTRIBUTE_BYTES = 4;

/** efiData is what a variable holds, behind its attributes. */
export function efiData(file: Uint8Array): Uint8Array {
  return file.subarray(ATTRIBUTE_BYTES);
}

/** parseEfiByte reads a variable of one byte, such as SecureBoot; undefined when it has another size. */
export function parseEfiByte(file: Uint8Array): number | undefined {
  return file.length === ATTRIBUTE_BYTES + 1 ? file[ATTRIBUTE_BYTES] : undefined;
}

/** parseEfiText reads a UTF-16 variable up to its first NUL, such as LoaderEntrySelected. */
export function parseEfiText(file: Uint8Array): string {
  const text = new TextDecoder('utf-16le').decode(efiData(file));
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
