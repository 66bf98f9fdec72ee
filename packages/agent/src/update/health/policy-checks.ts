import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import type { ContractCheck } from '@plinth/config';
import { z } from 'zod';
import { type CheckSpec, type Finding, fail, pass, passIf, unknown } from '../../checks/check.ts';
import type { NetworkProbe } from '../../health/network-probe.ts';
import { judgeUnit } from '../../health/units.ts';
import { SYSTEMCTL } from '../../reports/versions.ts';

/** A pod of this node, as far as its readiness is asked. */
export const readyPodSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  status: z
    .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) })
    .default({ conditions: [] }),
});
export type ReadyPod = z.infer<typeof readyPodSchema>;

export interface PolicyCheckParts {
  readonly probe: Pick<NetworkProbe, 'connect'>;
  /** Pods of this node. Rejects with a message fit to be shown. */
  pods(): Promise<readonly ReadyPod[]>;
  /** The last run of a container, which may have begun with this look. */
  container(name: string, container: NonNullable<ContractCheck['container']>): Finding;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5_000;

/** policyChecks are the checks that a machine config asks for; each has the id "policy-" and its name. */
export function policyChecks(
  checks: readonly ContractCheck[],
  parts: PolicyCheckParts,
): readonly CheckSpec[] {
  return checks.map((check) => {
    const { expected, source, observe } = questionOf(check, parts);
    return {
      ...{ id: `policy-${check.name}`, expected, source, observe, critical: true },
      cause: 'What the machine config asks for does not work under this version.',
      fix: `Look at what is behind the check "${check.name}" of the UpdatePolicy.`,
    };
  });
}

type Question = Pick<CheckSpec, 'expected' | 'source' | 'observe'>;

function questionOf(
  { name, http, tcp, unit, pod, container }: ContractCheck,
  parts: PolicyCheckParts,
): Question {
  const { probe, timeoutMs = TIMEOUT_MS } = parts;
  if (http)
    return {
      expected: `status ${http.status}`,
      source: http.url,
      observe: () => askHttp(http, timeoutMs),
    };
  if (tcp)
    return {
      expected: 'accepts connections',
      source: `${tcp.host}:${tcp.port}`,
      observe: async () => {
        const code = await probe.connect(tcp);
        return code === '' ? pass('accepts connections') : fail(code);
      },
    };
  if (unit !== undefined)
    return {
      expected: 'active',
      source: `systemctl show ${unit}`,
      observe: async (sys) => {
        const args = ['show', '--no-pager', '--property=LoadState,ActiveState,SubState', unit];
        const { exitCode, stdout, stderr } = await sys.run(SYSTEMCTL, args);
        return exitCode === 0
          ? judgeUnit(stdout)
          : unknown(`systemctl ended with ${exitCode}: ${stderr.trim().slice(0, 200)}`);
      },
    };
  if (pod)
    return {
      expected: 'every pod with these labels is ready, and there is one',
      source: `pods ${pod.labels} in ${pod.namespace}`,
      observe: async () => judgePods(choosePods(await parts.pods(), pod)),
    };
  if (container)
    return {
      expected: 'ends with exit code 0',
      source: `container ${container.image}`,
      observe: async () => parts.container(name, container),
    };
  // The schema lets nothing else through.
  return {
    expected: 'a check',
    source: 'machine config',
    observe: async () => unknown('it asks for nothing'),
  };
}

/** choosePods finds those of a namespace that have every label of a selector ("app=web,edge"); pure. */
export function choosePods(
  pods: readonly ReadyPod[],
  { namespace, labels }: { readonly namespace: string; readonly labels: string },
): readonly ReadyPod[] {
  const wanted = labels.split(',').map((each) => each.split('=') as [string, string?]);
  return pods.filter(
    ({ metadata }) =>
      metadata.namespace === namespace &&
      wanted.every(([key, value]) =>
        value === undefined ? Object.hasOwn(metadata.labels, key) : metadata.labels[key] === value,
      ),
  );
}

/** judgePods: all are ready, and there is one; pure. */
export function judgePods(pods: readonly ReadyPod[]): Finding {
  if (pods.length === 0) return fail('there is none on this node');
  const open = pods.filter(
    ({ status }) => !status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  );
  return passIf(
    open.length === 0,
    open.length === 0
      ? `${pods.length} ready`
      : `not ready: ${open.map(({ metadata }) => metadata.name).join(', ')}`,
  );
}

/** Only the status counts: the answer's body is not read. */
function askHttp(
  { url, status, certificateAuthority }: NonNullable<ContractCheck['http']>,
  timeoutMs: number,
): Promise<Finding> {
  return new Promise((resolve) => {
    const options = {
      agent: false as const,
      signal: AbortSignal.timeout(timeoutMs),
      headers: { 'user-agent': 'plinthd' },
    };
    const asked =
      new URL(url).protocol === 'https:'
        ? getHttps(url, {
            ...options,
            ...(certificateAuthority !== undefined && { ca: certificateAuthority }),
          })
        : getHttp(url, options);
    asked.once('response', (answer) => {
      answer.destroy();
      resolve(passIf(answer.statusCode === status, `status ${answer.statusCode ?? 0}`));
    });
    asked.once('error', (reason) => resolve(fail(reason.message.slice(0, 200))));
  });
}
