import { createHash } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import { parse } from 'yaml';
import { z } from 'zod';
import { FLEET_GROUP, FLEET_VERSION } from '../../../crd/index.ts';
import { durationMs, type GateSpec } from '../../../objects/index.ts';
import type { Stored } from '../../../view/view.ts';

/** A gate that is a Job. */
export type JobGate = Pick<Stored<GateSpec, never>, 'name' | 'uid' | 'generation'> & {
  readonly job: NonNullable<GateSpec['job']>;
};

const TEMPLATE_LIMIT_BYTES = 64 * 1024;
const texts = z.record(z.string(), z.string()).default({});
const templateSchema = z.looseObject({
  kind: z.literal('Job'),
  metadata: z.looseObject({ labels: texts, annotations: texts }).prefault({}),
  spec: z.looseObject({
    activeDeadlineSeconds: z.int().min(1).optional(),
    template: z.looseObject({
      metadata: z.looseObject({}).optional(),
      spec: z.looseObject({ restartPolicy: z.enum(['Never', 'OnFailure']).default('Never') }),
    }),
  }),
});

/** slotOf is the number of the run that is due; every operator that asks within its time has the same. */
export function slotOf({ job }: JobGate, nowMs: number): number {
  return Math.floor(nowMs / durationMs(job.every));
}

/** jobNameOf names the run of one gate as it is written now: whoever made it, it is found again and never made twice. */
export function jobNameOf({ name, uid, generation }: JobGate, slot: number): string {
  const told = name.replace(/[^a-z0-9-]/g, '-').slice(0, 30);
  const run = createHash('sha256').update(`${uid} ${generation} ${slot}`).digest('hex').slice(0, 12);
  return `gate-${told}-${run}`;
}

/**
 * makeJob is the Job of one run: the template, with a name, an owner, an end and a time after which it is removed; pure.
 * @throws fleet/gate-template
 */
export function makeJob(gate: JobGate, slot: number, namespace: string, template: string): object {
  const { metadata, spec } = readTemplate(gate, template);
  const { selector: _1, manualSelector: _2, managedBy: _3, suspend: _4, ...kept } = spec;
  const { restartPolicy } = spec.template.spec;
  const timeoutSeconds = Math.ceil(durationMs(gate.job.timeout) / 1000);
  const owner = { apiVersion: `${FLEET_GROUP}/${FLEET_VERSION}`, kind: 'HealthGate' };
  return {
    ...{ apiVersion: 'batch/v1', kind: 'Job' },
    metadata: {
      ...{ name: jobNameOf(gate, slot), namespace, annotations: metadata.annotations },
      labels: { ...metadata.labels, 'app.kubernetes.io/managed-by': 'plinth-fleet' },
      // It goes with its gate.
      ownerReferences: [{ ...owner, name: gate.name, uid: gate.uid }],
    },
    spec: {
      ...{ backoffLimit: 0, ...kept },
      // A pod that has to leave its node, as in a drain, says nothing of what it was to find out.
      ...(restartPolicy === 'Never' && !('podFailurePolicy' in kept) && { podFailurePolicy: DISRUPTED }),
      activeDeadlineSeconds: Math.min(spec.activeDeadlineSeconds ?? timeoutSeconds, timeoutSeconds),
      // Until the run after it is over, its result is what the gate says.
      ttlSecondsAfterFinished: Math.ceil((2 * durationMs(gate.job.every)) / 1000),
      template: {
        ...spec.template,
        spec: { automountServiceAccountToken: false, ...spec.template.spec, restartPolicy },
      },
    },
  };
}

const DISRUPTED = { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }] };

function readTemplate({ name, job }: JobGate, text: string): z.infer<typeof templateSchema> {
  const refusal = (state: string, cause?: unknown) =>
    new PlinthError(
      'fleet/gate-template',
      `Cannot make the Job of HealthGate ${name}: "job.yaml" in ConfigMap ${job.configMap} ${state}, expected a Job`,
      { cause },
    );
  if (text === '') throw refusal('is not there');
  if (Buffer.byteLength(text) > TEMPLATE_LIMIT_BYTES) throw refusal('is larger than 64 KiB');
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0 });
  } catch (reason) {
    throw refusal('is no YAML', reason);
  }
  const read = templateSchema.safeParse(value);
  if (!read.success)
    throw refusal(`has "${read.error.issues[0]?.path.join('.')}" that is missing or of another kind`);
  return read.data;
}
