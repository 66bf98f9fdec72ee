import type { BinaryComponent, SourceVersion } from '../model/index.ts';

/** Packages whose source only wraps signed copies of what another source built. */
const SIGNED =
  /^(.+?)(?:-efi)?(?:-(?:amd64|arm64|i386|armhf|riscv64))?-signed(?:-(?:amd64|arm64|i386|armhf|riscv64))?(?:-template)?$/;

/** isSignedSource tells a source that wraps signed copies, "linux-signed-amd64", "grub-efi-amd64-signed". */
export function isSignedSource(source: string): boolean {
  return SIGNED.test(source);
}

/**
 * trueSource is the source that was compiled into a package, where the package's own source only wraps signed copies:
 * linux-signed-amd64 6.12.117+1 is linux 6.12.117-1. Built-Using says so; for the kernel the version does as well.
 */
export function trueSource(
  binary: Pick<BinaryComponent, 'source' | 'sourceVersion' | 'builtUsing'>,
): SourceVersion {
  const { source, sourceVersion: version } = binary;
  if (!isSignedSource(source)) return { source, version };
  const [only, ...more] = binary.builtUsing;
  if (only !== undefined && more.length === 0) return only;
  if (/^linux-signed-/.test(source))
    return { source: 'linux', version: version.replace(/\+(\d+[^+]*)$/, '-$1') };
  return { source, version };
}
