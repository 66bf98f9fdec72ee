import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import type { Bind } from '@plinth/toolbox';
import type { GoCache } from './go-cache.ts';
import { goFetchRun, modFlags } from './go-command.ts';
import type { GoComponent } from './go-component.ts';
import { findCertificates, readGoSettings } from './go-settings.ts';
import type { GoTools } from './go-tools.ts';

export interface FetchGoModulesOptions {
  readonly tools: GoTools;
  readonly cache: GoCache;
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

const SETTINGS = '/run/go/env';
const CERTIFICATES = '/run/go/certificates';

/**
 * fetchGoModules brings every module a component is compiled from into the cache; what is there is not asked for again.
 * Each is held against go.sum. Nothing is compiled or run.
 * @returns how many packages will be compiled, those of the standard library among them
 * @throws go/modules-unavailable, go/modules-changed
 */
export async function fetchGoModules(
  component: GoComponent,
  { tools, cache, progress = silentProgress, signal }: FetchGoModulesOptions,
): Promise<number> {
  const settingsDir = await mkdtemp(join(tmpdir(), 'plinth-go-'));
  try {
    const settingsPath = join(settingsDir, 'env');
    await writeFile(settingsPath, await readGoSettings(), { mode: 0o600 });
    const certificates = await findCertificates();
    const { binds, env, ...run } = goFetchRun(component, cache);
    let fetched = 0;
    const { stdout } = await tools.toolbox.run(
      tools.program,
      [
        'list',
        '-deps',
        ...(component.isTests ? ['-test'] : []),
        '-modcacherw',
        ...modFlags(component),
        ...component.packages,
      ],
      {
        ...run,
        binds: [...binds, readOnly(settingsPath, SETTINGS), ...certificateBinds(certificates)],
        env: { ...env, GOENV: SETTINGS, ...certificateVariables(certificates) },
        signal,
        onStderrLine: (line) => {
          if (line.startsWith('go: downloading ')) progress.note(`${++fetched} modules fetched`);
        },
      },
    );
    return stdout.toString('utf8').split('\n').length - 1;
  } catch (reason) {
    throw fetchError(reason, component);
  } finally {
    await rm(settingsDir, { recursive: true, force: true });
  }
}

function readOnly(host: string, inside: string): Bind {
  return { host, inside, readOnly: true };
}

function certificateBinds(path: string | undefined): Bind[] {
  return path === undefined ? [] : [readOnly(path, CERTIFICATES)];
}

/** Without certificates of the machine, those of the toolbox: its packages are unpacked, so there is no joined bundle. */
function certificateVariables(path: string | undefined): Record<string, string> {
  return path === undefined
    ? { SSL_CERT_DIR: '/usr/share/ca-certificates/mozilla' }
    : { SSL_CERT_FILE: CERTIFICATES };
}

function fetchError(reason: unknown, { name }: GoComponent): unknown {
  if (!(reason instanceof PlinthError) || reason.code !== 'host/command-failed') return reason;
  const said = reason.message.split('\n').slice(1).join('\n');
  if (/checksum mismatch|SECURITY ERROR/.test(said)) {
    return new PlinthError(
      'go/modules-changed',
      `Cannot use the modules of ${name}: one is not what go.sum says\n${said}`,
      { cause: reason },
    );
  }
  return new PlinthError('go/modules-unavailable', `Cannot fetch the modules of ${name}:\n${said}`, {
    cause: reason,
    retryable: true,
  });
}
