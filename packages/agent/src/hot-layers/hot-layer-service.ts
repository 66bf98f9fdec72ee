import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, type ConnectRouter } from '@connectrpc/connect';
import {
  ActivateHotLayerResponseSchema,
  FetchHotLayerResponseSchema,
  GetHotLayerResponseSchema,
  HotLayerPhase,
  type HotLayerSchema,
  HotLayerService,
  RetireHotLayerResponseSchema,
  StageHotLayerResponseSchema,
} from '@plinth/api';
import { refusing, type Statuses } from '../refuse.ts';
import { layerOf, type StoredLayer } from './hot-layer-state.ts';
import type { HotLayers, HotLayerView } from './open-hot-layers.ts';

const STAGE_LIMIT_MS = 30 * 60_000;
const STATUSES: Statuses = {
  'hot-layer/invalid': Code.InvalidArgument,
  'hot-layer/not-staged': Code.NotFound,
  'hot-layer/none-published': Code.NotFound,
  'hot-layer/busy': Code.Unavailable,
};
const PHASES: Readonly<Record<HotLayerView['phase'], HotLayerPhase>> = {
  none: HotLayerPhase.NONE,
  'on-trial': HotLayerPhase.ON_TRIAL,
  active: HotLayerPhase.ACTIVE,
  retiring: HotLayerPhase.RETIRING,
  dormant: HotLayerPhase.DORMANT,
};

/** hotLayerService gives the routes of plinth.node.v1.HotLayerService. */
export function hotLayerService(layers: HotLayers): (router: ConnectRouter) => void {
  return (router) => {
    router.service(
      HotLayerService,
      {
        getHotLayer: () => refusing(STATUSES, async () => viewMessage(await layers.view())),
        stageHotLayer: (messages) =>
          refusing(STATUSES, async () =>
            create(StageHotLayerResponseSchema, { layer: layerMessage(await layers.stage(messages)) }),
          ),
        fetchHotLayer: () =>
          refusing(STATUSES, async () =>
            create(FetchHotLayerResponseSchema, { layer: layerMessage(await layers.fetch()) }),
          ),
        activateHotLayer: ({ serial }) =>
          refusing(STATUSES, async () => {
            await layers.activate(serial);
            return create(ActivateHotLayerResponseSchema);
          }),
        retireHotLayer: ({ serial }) =>
          refusing(STATUSES, async () => {
            await layers.retire(serial);
            return create(RetireHotLayerResponseSchema);
          }),
      },
      { maxTimeoutMs: STAGE_LIMIT_MS },
    );
  };
}

function layerMessage(stored: StoredLayer): MessageInitShape<typeof HotLayerSchema> {
  const { base, serial, fixes, advisories, replaced } = layerOf(stored);
  return {
    ...{ baseVersion: base.version, baseRootHash: base.rootHash, serial, advisories },
    fixes: fixes.map(({ package: name, from, to }) => ({ package: name, fromVersion: from, toVersion: to })),
    replacedPaths: replaced.map(({ path }) => path),
    sizeBytes: BigInt(stored.sizeBytes),
  };
}

function viewMessage({ phase, layer, state, busy, note }: HotLayerView) {
  const { staged, report, failure } = state;
  return create(GetHotLayerResponseSchema, {
    ...{ phase: PHASES[phase], busy, note },
    ...(layer && { layer: layerMessage(layer) }),
    ...(staged && { staged: layerMessage(staged) }),
    ...(report && { report: { ...report, endedAt: timestampFromMs(report.endedAtMs) } }),
    ...(failure && { failure: { ...failure, at: timestampFromMs(failure.atMs) } }),
  });
}
