import { FLEET_GROUP, FLEET_VERSION } from '../crd/index.ts';
import { FLEET_NAME, metadataOf, PROMOTE_VERB, userOf } from './names.ts';

// What RBAC has no words for, checked by the API server itself: no program of ours has to run for it.

const COLLECTOR = 'system:serviceaccount:kube-system:generic-garbage-collector';

/** One rule: what it is asked about, and what has to be true. */
interface Admission {
  readonly name: string;
  readonly rules: readonly object[];
  /** All true, or the request is none of its business. */
  readonly conditions: readonly { readonly name: string; readonly expression: string }[];
  readonly variables: readonly { readonly name: string; readonly expression: string }[];
  readonly validations: readonly { readonly expression: string; readonly message: string }[];
}

const ours = (resources: readonly string[], operations: readonly string[]) => ({
  apiGroups: [FLEET_GROUP],
  apiVersions: [FLEET_VERSION],
  resources,
  operations,
});

/** Slots, what is done with a node, and how far a rollout is: written by the operator and nobody else, administrators included. */
function writers(namespace: string): Admission {
  return {
    name: `${FLEET_NAME}-writers`,
    rules: [
      ours(
        ['capacityledgers', 'capacityledgers/status', 'nodeupdates', 'nodeupdates/status', 'rollouts/status'],
        ['CREATE', 'UPDATE'],
      ),
      ours(['rollouts'], ['CREATE']),
    ],
    conditions: [],
    variables: [],
    validations: [
      {
        expression: `request.userInfo.username in ['${userOf(namespace)}', '${COLLECTOR}']`,
        message:
          'only the fleet operator writes this: two writers would give one slot twice. Steer it by UpdatePolicy and by the spec of Rollouts',
      },
    ],
  };
}

const MAY_PROMOTE = `authorizer.group('${FLEET_GROUP}').resource('rollouts').name(oldObject.metadata.name).check('${PROMOTE_VERB}').allowed()`;

/** A halt stands until somebody who may lift it does, or a newer release comes. Not even the operator lifts one. */
function promotions(): Admission {
  return {
    name: `${FLEET_NAME}-promotions`,
    rules: [ours(['rollouts'], ['UPDATE', 'DELETE'])],
    conditions: [],
    variables: [
      {
        name: 'isDelete',
        expression: "request.operation == 'DELETE'",
      },
      {
        name: 'lifts',
        expression: [
          'object.spec.promotedWave != oldObject.spec.promotedWave',
          "object.spec.?clearedHaltAt.orValue('') != oldObject.spec.?clearedHaltAt.orValue('')",
          "(oldObject.spec.halt != '' && object.spec.halt != oldObject.spec.halt)",
        ].join(' || '),
      },
      {
        name: 'isHalted',
        expression: "oldObject.spec.halt != '' || oldObject.?status.?phase.orValue('') == 'Halted'",
      },
    ],
    validations: [
      {
        expression: `variables.isDelete || !variables.lifts || ${MAY_PROMOTE}`,
        message: `lifting a halt or promoting a wave takes the verb "${PROMOTE_VERB}" on rollouts (ClusterRole ${FLEET_NAME}-promoter)`,
      },
      {
        expression: `!variables.isDelete || !variables.isHalted || ${MAY_PROMOTE}`,
        message: `a halted rollout is deleted by who may lift the halt: it takes the verb "${PROMOTE_VERB}" on rollouts`,
      },
    ],
  };
}

/** Of a Node the operator changes its own taints: never the cordon, never a label, never a taint of others. */
function nodeWrites(namespace: string): Admission {
  const foreign = (from: string) =>
    `(has(${from}.spec.taints) ? ${from}.spec.taints : []).filter(taint, !taint.key.startsWith('plinth.dev/'))`;
  const same = (field: string, fallback: string) =>
    `(has(object.${field}) ? object.${field} : ${fallback}) == (has(oldObject.${field}) ? oldObject.${field} : ${fallback})`;
  return {
    name: `${FLEET_NAME}-node-writes`,
    rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['nodes'], operations: ['UPDATE'] }],
    conditions: [{ name: 'operator', expression: `request.userInfo.username == '${userOf(namespace)}'` }],
    variables: [],
    validations: [
      {
        expression: same('spec.unschedulable', 'false'),
        message: "the fleet operator never changes spec.unschedulable: a cordon is somebody else's",
      },
      {
        expression: `${foreign('object')} == ${foreign('oldObject')}`,
        message: 'the fleet operator changes no taints but those of plinth.dev',
      },
      {
        expression: `${same('metadata.labels', '{}')} && ${same('metadata.annotations', '{}')}`,
        message: 'the fleet operator changes no labels and no annotations of a node',
      },
    ],
  };
}

/** admissionManifests gives the policies with their bindings. */
export function admissionManifests(namespace: string): readonly object[] {
  return [writers(namespace), promotions(), nodeWrites(namespace)].flatMap(manifestsOf);
}

function manifestsOf({ name, rules, conditions, variables, validations }: Admission): readonly object[] {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata: metadataOf(name),
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: rules },
        ...(conditions.length > 0 && { matchConditions: conditions }),
        ...(variables.length > 0 && { variables }),
        validations: validations.map((each) => ({ ...each, reason: 'Forbidden' })),
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: metadataOf(name),
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  ];
}
