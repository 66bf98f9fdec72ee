import type { Lock } from '@plinth/debian';
import { parseJson } from '@plinth/updates';
import { z } from 'zod';
import { packageUrl } from './sbom/package-url.ts';

export const PROVENANCE_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

export interface ProvenanceInputs {
  readonly version: string;
  /** SHA-256 by file name: everything the statement is about. */
  readonly subjects: ReadonlyMap<string, string>;
  readonly lock: Lock;
  readonly lockSha256: string;
  /** Lock of the tools that built it. */
  readonly toolboxKey: string;
  /** Commit of the source it was built from, where there is one. */
  readonly commit?: string;
}

/**
 * makeProvenance writes the in-toto statement with SLSA provenance (in-toto Statement v1, SLSA provenance v1): which
 * files, built from what, by what. It names no machine and no time, so that two builds of the same source agree.
 */
export function makeProvenance(inputs: ProvenanceInputs): string {
  const { lock } = inputs;
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [...inputs.subjects].map(([name, sha256]) => ({ name, digest: { sha256 } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://plinth.dev/build/image/v1',
        externalParameters: {
          version: inputs.version,
          lock: { sha256: inputs.lockSha256 },
          specification: { sha256: lock.specDigest },
          ...(inputs.commit === undefined ? {} : { commit: inputs.commit }),
        },
        internalParameters: { toolbox: inputs.toolboxKey },
        resolvedDependencies: [
          ...lock.indexes.map(({ suite, archive, component, inReleaseSha256 }) => ({
            name: `${archive} ${suite} ${component} InRelease`,
            digest: { sha256: inReleaseSha256 },
          })),
          ...lock.packages.map(({ name, version, sha256 }) => ({
            uri: packageUrl('deb', `debian/${name}`, version, { arch: 'amd64' }),
            digest: { sha256 },
          })),
        ],
      },
      runDetails: { builder: { id: 'https://plinth.dev/builder/v1' } },
    },
  };
  return JSON.stringify(statement);
}

const subjectsSchema = z.looseObject({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  subject: z.array(z.looseObject({ name: z.string(), digest: z.looseObject({ sha256: z.string() }) })),
  predicateType: z.literal('https://slsa.dev/provenance/v1'),
});

/** readSubjects gives the files a statement is about; undefined when the text is no such statement. */
export function readSubjects(statement: string): Map<string, string> | undefined {
  const parsed = subjectsSchema.safeParse(parseJson(statement));
  if (!parsed.success) return undefined;
  return new Map(parsed.data.subject.map(({ name, digest }) => [name, digest.sha256]));
}
