import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { createClient, type Transport } from '@connectrpc/connect';
import {
  type GetMachineResponse,
  MachineService,
  type RebootResponse,
  type ResetResponse,
  type RestartServiceResponse,
  type ShutdownResponse,
} from './gen/plinth/node/v1/machine_pb.ts';
import type { Answer } from './kubernetes-calls.ts';
import { nodeCallLimitMs } from './limits.ts';

/** How a system is ended. */
export interface EndOptions {
  /** Why, for the records; at most 200 characters. */
  readonly reason?: string;
  /** The node's name, typed by a person; empty to be refused where something is in the way. */
  readonly override?: string;
  /** Present: pods are moved away first. */
  readonly drain?: { readonly timeoutMs: number; readonly evictUnmanaged: boolean } | undefined;
  /** Present: the node refuses the act in any other boot, for any other system, and later. */
  readonly authorization?: StartPermission | undefined;
}

/** Permission for one start of one node. */
export interface StartPermission {
  readonly bootId: string;
  /** Of the system that is started next. */
  readonly rootHash: string;
  readonly notAfterMs: number;
  readonly nonce: string;
}

/** Acts on the machine of a node. */
export interface MachineCalls {
  get(): Promise<GetMachineResponse>;
  /** Answers once the act is stored; the node ends a moment later, or when its pods are away. */
  reboot(options?: EndOptions): Promise<RebootResponse>;
  shutdown(options?: Omit<EndOptions, 'authorization'>): Promise<ShutdownResponse>;
  /** Loses all data. @param confirm the node's name, typed by a person */
  reset(confirm: string, options?: Omit<EndOptions, 'drain'>): Promise<ResetResponse>;
  /** @param service "containerd" */
  restartService(service: string): Promise<RestartServiceResponse>;
}

/** endRequest is how a node ends, as it goes over the wire. */
export function endRequest({ reason = '', override = '', drain, authorization }: EndOptions = {}) {
  return {
    ...{ reason, override },
    ...(drain && {
      drain: { timeout: durationFromMs(drain.timeoutMs), evictUnmanaged: drain.evictUnmanaged },
    }),
    ...(authorization && {
      authorization: {
        ...{ bootId: authorization.bootId, rootHash: authorization.rootHash, nonce: authorization.nonce },
        notAfter: timestampFromMs(authorization.notAfterMs),
      },
    }),
  };
}

/** machineCalls are the calls of MachineService over a transport. */
export function machineCalls(transport: Transport, answer: Answer): MachineCalls {
  const client = createClient(MachineService, transport);
  return {
    get: () => answer('GetMachine', client.getMachine({})),
    reboot: (options) => answer('Reboot', client.reboot(endRequest(options))),
    shutdown: (options) => answer('Shutdown', client.shutdown(endRequest(options))),
    reset: (confirm, { reason = '', override = '' } = {}) =>
      answer('Reset', client.reset({ confirm, reason, override })),
    restartService: (service) =>
      answer('RestartService', client.restartService({ service }, { timeoutMs: nodeCallLimitMs })),
  };
}
