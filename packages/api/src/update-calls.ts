import { createClient, type Transport } from '@connectrpc/connect';
import {
  type ActivateUpdateResponse,
  type CheckUpdateResponse,
  type GetUpdateResponse,
  type RollBackResponse,
  StartChoice,
  UpdateService,
  type UpdateStage,
} from './gen/plinth/node/v1/update_pb.ts';
import type { Answer } from './kubernetes-calls.ts';
import { nodeCallLimitMs } from './limits.ts';
import { type EndOptions, endRequest } from './machine-calls.ts';
import { type Fail, streamCall } from './stream-calls.ts';

export interface ActivateOptions extends EndOptions {
  /** By soft-reboot where the version has the same kernel; default: the firmware starts it. */
  readonly fastest?: boolean;
}

/** The system of a node: which version it runs, which comes next, and how it gets there and back. */
export interface UpdateCalls {
  get(): Promise<GetUpdateResponse>;
  /** Asks the repository what it offers. */
  check(): Promise<CheckUpdateResponse>;
  /**
   * Stages a version, or attaches to the staging under way, and tells how far it is; the last message has the phase STAGED.
   * The node goes on when the reader stops. @param version empty for what the channel offers next
   */
  stage(version?: string): AsyncGenerator<UpdateStage>;
  /** Ends staging, or takes back what is staged. @returns the version, empty when there was none */
  cancel(): Promise<string>;
  /** Answers once the boot loader will try the version; the node ends a moment later, or when its pods are away. */
  activate(version: string, options?: ActivateOptions): Promise<ActivateUpdateResponse>;
  /** Goes back to the version before and blocks the one that is left. */
  rollBack(options?: EndOptions): Promise<RollBackResponse>;
  unblock(version: string): Promise<void>;
}

/** updateCalls are the calls of UpdateService over a transport. */
export function updateCalls(transport: Transport, answer: Answer, fail: Fail): UpdateCalls {
  const client = createClient(UpdateService, transport);
  const long = { timeoutMs: nodeCallLimitMs };
  async function* stage(version = ''): AsyncGenerator<UpdateStage> {
    const messages = streamCall('StageUpdate', fail, (options) => client.stageUpdate({ version }, options));
    for await (const message of messages) if (message.stage) yield message.stage;
  }
  return {
    get: () => answer('GetUpdate', client.getUpdate({})),
    check: () => answer('CheckUpdate', client.checkUpdate({}, long)),
    stage,
    cancel: async () => (await answer('CancelUpdate', client.cancelUpdate({}, long))).version,
    activate: (version, options) =>
      answer(
        'ActivateUpdate',
        client.activateUpdate(
          {
            ...{ version, ...endRequest(options) },
            start: options?.fastest ? StartChoice.FASTEST : StartChoice.FULL_REBOOT,
          },
          long,
        ),
      ),
    rollBack: (options) => answer('RollBack', client.rollBack(endRequest(options), long)),
    unblock: async (version) => {
      await answer('UnblockVersion', client.unblockVersion({ version }));
    },
  };
}
