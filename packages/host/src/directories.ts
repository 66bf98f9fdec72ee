import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where Plinth keeps what can be made again: packages, toolbox, build stages. `PLINTH_CACHE_DIR` overrides. */
export function cacheDir(env: Environment = process.env): string {
  return resolve(
    env['PLINTH_CACHE_DIR'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'plinth'),
  );
}

/** Where Plinth keeps what must stay: keys and client configuration. `PLINTH_CONFIG_DIR` overrides. */
export function configDir(env: Environment = process.env): string {
  return resolve(
    env['PLINTH_CONFIG_DIR'] ?? join(env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'plinth'),
  );
}

/** Where Plinth keeps running machines: disks, firmware variables, consoles. `PLINTH_STATE_DIR` overrides. */
export function stateDir(env: Environment = process.env): string {
  return resolve(
    env['PLINTH_STATE_DIR'] ?? join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local/state'), 'plinth'),
  );
}
