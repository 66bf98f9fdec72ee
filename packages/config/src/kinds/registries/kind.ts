import { defineKind } from '../../framework/kind.ts';
import { renderRegistries } from './render.ts';
import { registriesSchema } from './schema.ts';

export const registriesKind = defineKind({
  kind: 'Registries',
  property: 'registries',
  count: 'at-most-one',
  summary: 'Where images come from: mirrors, authorities and credentials of registries.',
  notes: [
    'containerd looks into these settings at each pull; a change needs no restart. An entry for a registry takes the place of the one for "*"; the two are not joined.',
    'Credentials are for images that every pod of the node may use: they need no pull secret. They lie in a file that only root reads, and are shown neither in plans nor by the API.',
  ],
  schema: registriesSchema,
  example: `apiVersion: plinth.dev/v1alpha1
kind: Registries
registries:
  - host: registry.example
    mirrors:
      - url: https://mirror.example:5000
      - url: https://harbor.example/v2/proxy
        credentials:
          username: node
          password: an-example-password
    fallback: false
  - host: private.example:5000
    credentials:
      username: node
      password: an-example-password
`,
  render: renderRegistries,
  effects: { '': { kind: 'live' } },
  reach: [],
});
