import { messageOf, PlinthError } from '@plinth/base';
import type { Units } from '../kubernetes/units/run-unit.ts';
import { SYSTEMCTL } from '../reports/versions.ts';
import type { Sys } from '../sys/sys.ts';

/**
 * What may be restarted, by the name people use. Only what comes back by itself and leaves pods alone: containerd's
 * shims and the kubelet's pods outlive their daemons. Units that are steps of an act (kubeadm) are none of these.
 */
const SERVICES: ReadonlyMap<string, string> = new Map(
  [
    'containerd',
    'kubelet',
    'plinth-images',
    'plinthd',
    'systemd-journald',
    'systemd-networkd',
    'systemd-resolved',
    'systemd-timesyncd',
  ].map((name) => [name, `${name}.service`]),
);
/** Acts of Kubernetes wait for these, and would fail for a reason that nobody finds. */
const USED_BY_ACTS = new Set(['containerd', 'kubelet', 'plinth-images', 'plinthd']);
const RESTART_LIMIT_MS = 50_000;

export const restartableServices: readonly string[] = [...SERVICES.keys()];

export interface RestartParts {
  readonly sys: Pick<Sys, 'run'>;
  readonly units: Pick<Units, 'state' | 'run'>;
  /** Another act of the node; undefined when there is none. */
  otherAct(): Promise<string | undefined>;
}

/**
 * restartService restarts a service of the system and waits until it runs.
 * @param name with or without ".service"
 * @returns how long it took, in milliseconds; 0 for plinthd itself, which ends after the answer
 * @throws machine/not-a-service, machine/busy, machine/act-failed
 */
export async function restartService({ sys, units, otherAct }: RestartParts, name: string): Promise<number> {
  const service = name.replace(/\.service$/, '');
  const unit = SERVICES.get(service);
  if (unit === undefined)
    throw new PlinthError(
      'machine/not-a-service',
      `Cannot restart ${JSON.stringify(name.slice(0, 64))}: it is none of ${restartableServices.join(', ')}`,
    );
  const act = USED_BY_ACTS.has(service) ? await otherAct() : undefined;
  if (act !== undefined)
    throw new PlinthError('machine/busy', `Cannot restart ${service}: ${act} runs, expected none`, {
      retryable: true,
    });
  const { load } = await units.state(unit);
  if (load !== 'loaded')
    throw new PlinthError(
      'machine/not-a-service',
      `Cannot restart ${service}: the node has no such service (${load}), expected a layer that brings it`,
    );
  if (service === 'plinthd') {
    const { exitCode, stderr } = await sys.run(SYSTEMCTL, ['restart', '--no-block', unit]);
    if (exitCode !== 0) throw failed(service, stderr.trim());
    return 0;
  }
  const startedMs = performance.now();
  await units.run('restart', unit, { timeoutMs: RESTART_LIMIT_MS }).catch((reason: unknown) => {
    throw failed(service, messageOf(reason));
  });
  return Math.round(performance.now() - startedMs);
}

function failed(service: string, state: string): PlinthError {
  return new PlinthError('machine/act-failed', `Cannot restart ${service}: ${state}, expected it to run`);
}
