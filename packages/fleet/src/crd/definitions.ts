import { FLEET_GROUP, FLEET_VERSION, type FleetKind, fleetKinds } from './kinds.ts';
import { addRules, type StructuralSchema, schemaAt, toStructuralSchema } from './structural-schema.ts';

/** makeDefinitions gives a CustomResourceDefinition for each kind, from the schemas that also check what is read. */
export function makeDefinitions(): readonly StructuralSchema[] {
  return fleetKinds.map(makeDefinition);
}

function makeDefinition(kind: FleetKind): StructuralSchema {
  const columns = kind.columns.map(({ isWide, ...column }) => ({
    ...column,
    ...(isWide && { priority: 1 }),
  }));
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${kind.plural}.${FLEET_GROUP}`,
      labels: { 'app.kubernetes.io/name': 'plinth-fleet', 'app.kubernetes.io/part-of': 'plinth' },
    },
    spec: {
      group: FLEET_GROUP,
      scope: 'Cluster',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        shortNames: [kind.shortName],
        categories: ['plinth'],
      },
      versions: [
        {
          name: FLEET_VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: wholeSchema(kind) },
          ...(kind.status !== undefined && { subresources: { status: {} } }),
          additionalPrinterColumns: [
            ...columns,
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
        },
      ],
    },
  };
}

function wholeSchema({ description, spec, status, rules, uniqueLists = {} }: FleetKind): StructuralSchema {
  const properties: Record<string, StructuralSchema> = {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
  };
  if (spec !== undefined) {
    const schema = toStructuralSchema(spec);
    for (const [place, list] of Object.entries(rules)) addRules(schema, place, list);
    properties['spec'] = schema;
  }
  if (status !== undefined) {
    const schema = toStructuralSchema(status);
    for (const [place, keys] of Object.entries(uniqueLists))
      Object.assign(schemaAt(schema, place), {
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': keys,
      });
    properties['status'] = schema;
  }
  return { description, type: 'object', ...(spec !== undefined && { required: ['spec'] }), properties };
}
