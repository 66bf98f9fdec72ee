import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Code, ConnectError } from '@connectrpc/connect';
import { pullError } from './cri-client.ts';

const NAME = 'registry.example:40487/team/app:1';
const cases: readonly (readonly [words: string, code: Code, means: string])[] = [
  [`failed to resolve reference "${NAME}": ${NAME}: not found`, Code.Unknown, 'containers/image-missing'],
  [
    `unexpected status from HEAD request to https://${NAME}: 404 Not Found`,
    Code.Unknown,
    'containers/image-missing',
  ],
  ['gone', Code.NotFound, 'containers/image-missing'],
  [
    `Head "https://${NAME}": x509: certificate signed by unknown authority`,
    Code.Unknown,
    'containers/pull-failed',
  ],
  [`failed to verify sha256:4a${'404'.repeat(20)}`, Code.FailedPrecondition, 'containers/pull-failed'],
];

for (const [words, code, means] of cases)
  test(`a pull that ends with "${words.slice(0, 70)}" is ${means}`, () => {
    assert.equal(pullError(NAME, new ConnectError(words, code)).code, means);
  });
