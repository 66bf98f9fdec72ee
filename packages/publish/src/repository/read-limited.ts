import { open } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { ioError, isErrno } from '@plinth/host';

/**
 * readLimited reads a file of a repository or a release into memory; undefined when there is none. Its size is looked at first.
 * @param code of the error when it is larger
 * @throws the code, host/io
 */
export async function readLimited(
  path: string,
  limitBytes: number,
  code: 'hot-layer/invalid' | 'publish/repository-invalid' | 'release/manifest-invalid',
): Promise<Buffer | undefined> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > limitBytes)
      throw new PlinthError(
        code,
        `Cannot read ${path}: it has ${size} bytes, expected at most ${limitBytes}`,
      );
    return await file.readFile();
  } catch (reason) {
    if (isErrno(reason, 'ENOENT') || isErrno(reason, 'ENOTDIR')) return undefined;
    throw ioError(reason, `read ${path}`);
  }
}
