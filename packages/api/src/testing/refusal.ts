import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { FailureSchema } from '../gen/plinth/node/v1/kubernetes_pb.ts';

/** refusal is what a fake node throws to refuse a call, with its reason as a real node tells it. */
export function refusal(code: string, state: string, status: Code = Code.FailedPrecondition): ConnectError {
  const failure = { code, message: `Cannot do this: ${state}`, hint: 'Mend it.' };
  return new ConnectError('refused', status, undefined, [
    { desc: FailureSchema, value: create(FailureSchema, failure) },
  ]);
}
