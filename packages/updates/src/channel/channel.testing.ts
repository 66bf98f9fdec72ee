import fc from 'fast-check';
import type { Channel } from './channel.ts';

/** Versions in their order by UAPI.10, with its traps: pre-releases, post-releases, numbers that are no text. */
export const VERSIONS = [
  '0.9',
  '1.0~rc1',
  '1.0',
  '1.0^1',
  '1.1',
  '1.2',
  '1.10',
  '2.0~rc1',
  '2.0',
  '10',
] as const;

const someVersions = fc.subarray([...VERSIONS]);
const rules = fc
  .oneof(
    { weight: 3, arbitrary: fc.subarray([...VERSIONS], { maxLength: 2 }) },
    { weight: 1, arbitrary: someVersions },
  )
  .map((versions) => versions.map((version) => ({ version, reason: `because of ${version}` })));

/** Channels of all shapes: releases in any order, rules about versions that are offered and about others. */
export const channelArbitrary: fc.Arbitrary<Channel> = fc
  .record({
    releases: fc.shuffledSubarray([...VERSIONS]).chain((versions) =>
      fc.tuple(
        ...versions.map((version) =>
          fc.record(
            {
              version: fc.constant(version),
              manifest: fc.constant(`plinth_${version}_x86-64.manifest.json`),
              security: fc.boolean(),
              kubernetes: fc.subarray(['1.36', '1.37', '1.38'], { minLength: 1 }),
            },
            { requiredKeys: ['version', 'manifest'], noNullPrototype: true },
          ),
        ),
      ),
    ),
    securityFloor: fc.option(
      fc.constantFrom(...VERSIONS).map((version) => ({ version, reason: `holes before ${version}` })),
      { nil: undefined },
    ),
    barriers: rules,
    deadEnds: rules,
    blocked: rules,
  })
  .map(({ securityFloor, releases, ...lists }) => ({
    format: 1,
    name: 'plinth',
    channel: 'stable',
    architecture: 'x86-64',
    ...(securityFloor ? { securityFloor } : {}),
    releases: [...releases],
    ...lists,
  }));
