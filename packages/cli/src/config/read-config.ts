import { open } from 'node:fs/promises';
import { type Diagnostic, PlinthError } from '@plinth/base';
import { configLimits, type MachineConfig, parseConfig } from '@plinth/config';
import { ioError } from '@plinth/host';

/** readConfigBytes reads a file that may be a config: never much more of it than a config may have. @throws host/io */
export async function readConfigBytes(path: string): Promise<Uint8Array> {
  const room = Buffer.alloc(configLimits.bytes + 1);
  let length = 0;
  try {
    await using file = await open(path);
    // A pipe gives what it has, not what was asked for.
    for (;;) {
      const { bytesRead } = await file.read(room, length, room.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === room.length) return room.subarray(0, length);
    }
  } catch (reason) {
    throw ioError(reason, `read ${path}`);
  }
}

/** readConfig reads a machine config. @throws config/invalid, config/too-large with every problem, host/io */
export async function readConfig(path: string): Promise<MachineConfig> {
  const parsed = parseConfig(await readConfigBytes(path), path);
  if (parsed.ok) return parsed.value;
  throw configRefused(path, parsed.diagnostics);
}

/**
 * readConfigFile reads a machine config for a node and checks it first, so that every problem is shown with its place.
 * @throws config/invalid, config/too-large, host/io
 */
export async function readConfigFile(path: string): Promise<Uint8Array> {
  const bytes = await readConfigBytes(path);
  const parsed = parseConfig(bytes, path);
  if (!parsed.ok) throw configRefused(path, parsed.diagnostics);
  return bytes;
}

/** configRefused is the error for a config, or several, with problems. */
export function configRefused(what: string, diagnostics: readonly Diagnostic[]): PlinthError {
  const code = diagnostics.every((each) => each.code === 'config/too-large')
    ? 'config/too-large'
    : 'config/invalid';
  const count = diagnostics.length === 1 ? 'a problem' : `${diagnostics.length} problems`;
  return new PlinthError(code, `Cannot use ${what}: ${count} found, expected none`, {
    diagnostics,
    ...(code === 'config/invalid' && { hint: 'See "plinth config explain KEY" for what a key takes.' }),
  });
}
