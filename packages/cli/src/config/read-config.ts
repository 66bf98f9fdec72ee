import { open } from 'node:fs/promises';
import { CONFIG_LIMIT_BYTES } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { parseConfig } from '@plinth/config';
import { ioError } from '@plinth/host';

/**
 * readConfigFile reads a machine config and checks it, so that every problem is shown with its place before a node is
 * asked. @throws config/invalid, config/too-large, host/io
 */
export async function readConfigFile(path: string): Promise<Uint8Array> {
  const bytes = await readBounded(path);
  const parsed = parseConfig(bytes, path);
  if (parsed.ok) return bytes;
  const { diagnostics } = parsed;
  throw new PlinthError(
    diagnostics[0]?.code ?? 'config/invalid',
    `Cannot use ${path}: ${diagnostics.length} ${diagnostics.length === 1 ? 'problem' : 'problems'} found, expected none`,
    { diagnostics },
  );
}

/** One byte more than a node takes: enough to say that it is too much. */
async function readBounded(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path, 'r');
    const buffer = Buffer.alloc(CONFIG_LIMIT_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return new Uint8Array(buffer.subarray(0, length));
  } catch (reason) {
    throw ioError(reason, `read ${path}`);
  }
}
