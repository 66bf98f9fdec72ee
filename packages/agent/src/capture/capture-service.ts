import { create } from '@bufbuild/protobuf';
import { Code, type ConnectRouter, type ServiceImpl } from '@connectrpc/connect';
import {
  type CapturePacketsRequest,
  type CapturePacketsResponse,
  CapturePacketsResponseSchema,
  CaptureService,
} from '@plinth/api';
import { refusingStream, type Statuses } from '../refuse.ts';
import type { Sys } from '../sys/sys.ts';
import { busy, capturePackets } from './capture-packets.ts';

/** The longest capture, and a slow line afterwards. */
const STREAM_LIMIT_MS = 20 * 60_000;

const STATUSES: Statuses = {
  'capture/request-invalid': Code.InvalidArgument,
  'capture/interface-missing': Code.NotFound,
  'capture/busy': Code.Unavailable,
};

export interface CaptureServiceParts {
  readonly sys: Pick<Sys, 'stream'>;
  /** Left out of every capture. */
  readonly apiPort: number;
}

/** captureService gives the routes of plinth.node.v1.CaptureService. */
export function captureService({ sys, apiPort }: CaptureServiceParts): (router: ConnectRouter) => void {
  let capturing = false;
  async function* packets(
    request: CapturePacketsRequest,
    signal: AbortSignal,
  ): AsyncGenerator<CapturePacketsResponse> {
    if (capturing) throw busy();
    capturing = true;
    try {
      for await (const chunk of capturePackets(sys, request, apiPort, signal))
        yield create(CapturePacketsResponseSchema, { chunk });
      yield create(CapturePacketsResponseSchema, { last: true });
    } finally {
      capturing = false;
    }
  }
  const routes: ServiceImpl<typeof CaptureService> = {
    capturePackets: (request, { signal }) => refusingStream(STATUSES, packets(request, signal)),
  };
  return (router) => {
    router.service(CaptureService, routes, { maxTimeoutMs: STREAM_LIMIT_MS });
  };
}
