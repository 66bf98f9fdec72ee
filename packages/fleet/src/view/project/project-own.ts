import { z } from 'zod';
import { FLEET_GROUP, FLEET_VERSION } from '../../crd/index.ts';
import {
  type GateSpec,
  gateSpec,
  ledgerStatus,
  nodeUpdateSpec,
  nodeUpdateStatus,
  policySpec,
  policyStatus,
  type ReleaseSpec,
  releaseSpec,
  rolloutSpec,
  rolloutStatus,
  type WindowSpec,
  windowSpec,
} from '../../objects/index.ts';
import type { Stored } from '../view.ts';
import { momentMs, rawAt, textOf } from './raw.ts';

/**
 * storedProjection reads objects of one of our kinds. undefined: it does not follow its schema, as after a change by an older or newer
 * program; it is then left out, so that nothing is decided on half of it.
 */
function storedProjection<Spec, Status>(
  spec: z.ZodType<Spec>,
  status: z.ZodType<Status> | undefined,
): (raw: unknown) => Stored<Spec, Status> | undefined {
  return (raw) => {
    const metadata = rawAt(raw, 'metadata');
    const given = rawAt(raw);
    const readSpec = spec.safeParse(given['spec'] ?? {});
    // An API server gives an object without status until somebody writes one.
    const isBare = given['status'] === undefined || Object.keys(rawAt(given, 'status')).length === 0;
    const readStatus = status && !isBare ? status.safeParse(given['status']) : undefined;
    if (!readSpec.success || readStatus?.success === false) return undefined;
    const generation = metadata['generation'];
    return {
      ...{ name: textOf(metadata['name']), uid: textOf(metadata['uid']) },
      resourceVersion: textOf(metadata['resourceVersion']),
      generation: typeof generation === 'number' ? generation : 0,
      createdAtMs: momentMs(metadata['creationTimestamp']),
      spec: readSpec.data,
      status: readStatus?.data,
    };
  };
}

/** A spec without fields. */
const noSpec: z.ZodType<Record<string, never>> = z.object({}).transform(() => ({}));

/** Where objects of our group are. */
const FLEET_API = `/apis/${FLEET_GROUP}/${FLEET_VERSION}`;

/** A kind of ours: where its objects are listed, and how one is read. */
export interface OwnKind<Spec, Status> {
  readonly plural: string;
  readonly path: string;
  /** undefined: it does not follow its schema. */
  readonly project: (raw: unknown) => Stored<Spec, Status> | undefined;
}

function ownKind<Spec, Status>(
  plural: string,
  spec: z.ZodType<Spec>,
  status?: z.ZodType<Status>,
): OwnKind<Spec, Status> {
  return { plural, path: `${FLEET_API}/${plural}`, project: storedProjection(spec, status) };
}

/** Our kinds, by what a FleetView calls them. */
export const ownKinds = {
  releases: ownKind<ReleaseSpec, never>('plinthreleases', releaseSpec),
  policies: ownKind('updatepolicies', policySpec, policyStatus),
  rollouts: ownKind('rollouts', rolloutSpec, rolloutStatus),
  windows: ownKind<WindowSpec, never>('maintenancewindows', windowSpec),
  gates: ownKind<GateSpec, never>('healthgates', gateSpec),
  ledgers: ownKind('capacityledgers', noSpec, ledgerStatus),
  nodeUpdates: ownKind('nodeupdates', nodeUpdateSpec, nodeUpdateStatus),
} as const;
