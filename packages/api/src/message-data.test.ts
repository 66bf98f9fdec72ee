import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import {
  ActKind,
  ActState,
  GetKubernetesResponseSchema,
  Membership,
  NodeRole,
} from './gen/plinth/node/v1/kubernetes_pb.ts';
import {
  BootPhaseSchema,
  GetIntegrityResponseSchema,
  PartitionRole,
  PartitionSchema,
  Verdict,
} from './gen/plinth/node/v1/node_pb.ts';
import { messageData } from './message-data.ts';

test('messageData names verdicts and roles in lower case and leaves observations as they are', () => {
  const answer = create(GetIntegrityResponseSchema, {
    verdict: Verdict.FAIL,
    checks: [{ id: 'secure-boot', verdict: Verdict.UNKNOWN, observed: 'VERDICT of nobody' }],
  });
  const data = messageData(GetIntegrityResponseSchema, answer);
  assert.partialDeepStrictEqual(data, {
    verdict: 'fail',
    rootHash: '',
    checks: [{ id: 'secure-boot', verdict: 'unknown', observed: 'VERDICT of nobody', critical: false }],
  });
});

test('messageData writes large numbers as text and durations in seconds', () => {
  const partition = create(PartitionSchema, { sizeBytes: 2n ** 60n, role: PartitionRole.ROOT_VERITY });
  assert.partialDeepStrictEqual(messageData(PartitionSchema, partition), {
    sizeBytes: '1152921504606846976',
    role: 'root_verity',
  });
  const phase = create(BootPhaseSchema, { name: 'kernel', duration: { seconds: 1n, nanos: 500_000_000 } });
  assert.deepEqual(messageData(BootPhaseSchema, phase), { name: 'kernel', duration: '1.500s' });
});

test('messageData names roles, membership and acts in lower case', () => {
  const answer = create(GetKubernetesResponseSchema, {
    membership: Membership.MEMBER,
    role: NodeRole.CONTROL_PLANE,
    act: { kind: ActKind.BOOTSTRAP, state: ActState.DONE, steps: [{ name: 'a', state: ActState.RUNNING }] },
  });
  assert.partialDeepStrictEqual(messageData(GetKubernetesResponseSchema, answer), {
    membership: 'member',
    role: 'control_plane',
    act: { kind: 'bootstrap', state: 'done', steps: [{ name: 'a', state: 'running' }] },
  });
});
