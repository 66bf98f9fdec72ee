import { create } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type Act,
  ActKind,
  ActSchema,
  ActState,
  type Layer as LayerMessage,
  LayerSchema,
  Membership,
  NodeRole,
} from '@plinth/api';
import type { ActRecord, StepRecord } from './acts/act.ts';
import type { NodeRole as Role } from './cluster-spec.ts';
import type { Layer } from './layers/layer-store.ts';

/** Roles by their name inside. */
export const roleNumbers = { 'control-plane': NodeRole.CONTROL_PLANE, worker: NodeRole.WORKER } as const;
/** Memberships by their name inside. */
export const memberships = {
  none: Membership.NONE,
  pending: Membership.PENDING,
  member: Membership.MEMBER,
} as const;
const actKinds = {
  bootstrap: ActKind.BOOTSTRAP,
  join: ActKind.JOIN,
  upgrade: ActKind.UPGRADE,
  leave: ActKind.LEAVE,
} as const;
const actStates = {
  running: ActState.RUNNING,
  done: ActState.DONE,
  failed: ActState.FAILED,
  reverted: ActState.REVERTED,
  waiting: ActState.UNSPECIFIED,
} as const;

/** findRole gives the role a message names; undefined for none. */
export function findRole(role: NodeRole): Role | undefined {
  if (role === NodeRole.CONTROL_PLANE) return 'control-plane';
  return role === NodeRole.WORKER ? 'worker' : undefined;
}

/** layerMessage renders a layer. */
export function layerMessage({ version, source, active, sizeBytes }: Layer): LayerMessage {
  return create(LayerSchema, { version, source, active, sizeBytes: BigInt(sizeBytes) });
}

/** actMessage renders an act; `nowMs` is for the step that runs. */
export function actMessage(act: ActRecord, nowMs: number): Act {
  return create(ActSchema, {
    kind: actKinds[act.kind],
    state: actStates[act.state],
    steps: act.steps.map((step: StepRecord) => ({
      name: step.name,
      title: step.title,
      state: actStates[step.state],
      duration: durationFromMs(
        step.state === 'running' ? Math.max(0, nowMs - step.startedAtMs) : step.durationMs,
      ),
      note: step.note,
    })),
    startedAt: timestampFromMs(act.startedAtMs),
    ...(act.failure && { failure: act.failure }),
  });
}
