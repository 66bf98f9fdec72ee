import { createClient, type Transport } from '@connectrpc/connect';
import { CaptureService } from './gen/plinth/node/v1/capture_pb.ts';
import { type Fail, streamCall } from './stream-calls.ts';
import { checkLast } from './transfer.ts';

/** What to capture; the node's defaults hold for what is absent. */
export interface CaptureLimits {
  /** Default: all interfaces. */
  readonly interface?: string;
  readonly filter?: string;
  readonly reason: string;
  readonly durationSeconds?: number;
  readonly maxSizeBytes?: number;
  readonly maxPackets?: number;
  readonly snapLengthBytes?: number;
}

/** Packets of a node. Each call throws a PlinthError. */
export interface CaptureCalls {
  /** Gives one section of pcapng piece by piece. @throws api/broken-transfer when its end does not come; capture/… */
  packets(limits: CaptureLimits): AsyncGenerator<Uint8Array>;
}

/** captureCalls are the calls of CaptureService over a transport. */
export function captureCalls(transport: Transport, fail: Fail): CaptureCalls {
  const client = createClient(CaptureService, transport);
  return {
    packets: ({ maxSizeBytes = 0, ...limits }) => {
      const request = { ...limits, maxSizeBytes: BigInt(maxSizeBytes) };
      return checkLast(
        streamCall('CapturePackets', fail, (options) => client.capturePackets(request, options)),
        'the capture',
      );
    },
  };
}
