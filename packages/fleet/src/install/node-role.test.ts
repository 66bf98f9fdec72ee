import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as api from '@plinth/api';
import { NODE_METHODS } from './node-role.ts';

test('the role for the operator names methods that nodes have, and the how-to names the same', () => {
  const services: readonly unknown[] = Object.values(api);
  const known = new Set(
    services.flatMap((each) => {
      const { kind, name, methods } = (each ?? {}) as {
        readonly kind?: string;
        readonly name?: string;
        readonly methods?: readonly { readonly name: string }[];
      };
      return kind === 'service' && methods ? methods.map((method) => `${name}.${method.name}`) : [];
    }),
  );
  assert.deepEqual(
    NODE_METHODS.filter((method) => !known.has(method)),
    [],
  );
  const page = readFileSync(
    new URL('../../../../docs/how-to/change-configs-of-a-fleet.md', import.meta.url),
    'utf8',
  );
  const listed = [...page.matchAll(/^ {6}- (\w+\.\w+)$/gm)].map(([, method]) => method);
  assert.deepEqual(listed, NODE_METHODS);
});
