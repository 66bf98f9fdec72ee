import { z } from 'zod';
import { API_VERSION, allKinds } from '../machine-config.ts';

/**
 * configJsonSchema is the JSON Schema (draft 2020-12) of one document, for editors. It knows fields, types and
 * ranges; what one field says of another is only checked by parseConfig.
 */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://plinth.dev/schemas/machine-config-v1alpha1.json',
    title: 'A document of a Plinth machine config',
    anyOf: allKinds.map((kind) => {
      const { $schema: _, ...schema } = z.toJSONSchema(kind.schema, {
        io: 'input',
        target: 'draft-2020-12',
        unrepresentable: 'any',
      });
      return {
        ...schema,
        title: kind.kind,
        description: kind.summary,
        properties: {
          apiVersion: { const: API_VERSION, description: 'The version of the form.' },
          kind: { const: kind.kind, description: 'What the document is about.' },
          ...schema.properties,
        },
        required: ['apiVersion', 'kind', ...(schema.required ?? [])],
      };
    }),
  };
}
