import {
  type Act,
  type ActKind,
  type ActState,
  type Failure,
  type GetKubernetesResponse,
  Membership,
  NodeRole,
  ActState as State,
} from '@plinth/api';

/** An act with steps in the given states; a step that is done took three seconds. */
export function fakeAct(
  kind: ActKind,
  state: ActState,
  steps: readonly ActState[],
  failure?: Pick<Failure, 'code' | 'message' | 'hint'>,
): Act {
  const base = { $typeName: 'plinth.node.v1.Act' as const, kind, state };
  return {
    ...base,
    steps: steps.map((each, index) => ({
      $typeName: 'plinth.node.v1.ActStep',
      name: `step-${index + 1}`,
      title: `Step ${index + 1}`,
      state: each,
      note: '',
      ...(each === State.DONE && {
        duration: { $typeName: 'google.protobuf.Duration' as const, seconds: 3n, nanos: 0 },
      }),
    })),
    ...(failure && { failure: { $typeName: 'plinth.node.v1.Failure' as const, ...failure } }),
  };
}

/** What a node says about itself; a fresh one unless told otherwise. */
export function fakeAnswer(changes: Partial<GetKubernetesResponse>): GetKubernetesResponse {
  return {
    $typeName: 'plinth.node.v1.GetKubernetesResponse',
    membership: Membership.NONE,
    role: NodeRole.UNSPECIFIED,
    version: '',
    nodeAddress: '',
    layers: [],
    ...changes,
  };
}
