import { join } from 'node:path';
import type { Certificate, Signer } from '@plinth/trust';
import { z } from 'zod';
import type { NodesReport } from '../nodes/index.ts';
import { appendSignedLine, readSignedLines, type SignedLines } from '../signed-lines/signed-lines.ts';

const PAYLOAD_TYPE = 'application/vnd.plinth.nodes+json';
const text = z.string().max(400);
const instant = z.iso.datetime();

const schema = z.object({
  format: z.literal(1),
  /** When the nodes were judged. */
  at: instant,
  /** `all`: every node of the cluster was asked, so one that is not named has left. */
  scope: z.enum(['all', 'some']),
  nodes: z
    .array(
      z.object({
        node: text,
        nodeId: text,
        /** Key of what it runs in `releases`; absent: no papers have its root hash. */
        runs: text.optional(),
        oldCode: z.enum(['none', 'mapped', 'unknown']),
      }),
    )
    .max(100_000),
  /** Nodes that were asked and did not answer. */
  silent: z.array(text).max(100_000),
  releases: z
    .array(
      z.object({
        /** Root hash, with "+3" where hot layer 3 is merged. */
        key: text,
        name: text,
        /** When the image was made, as its papers say; absent for a hot layer. */
        createdAt: text.optional(),
        verdicts: z.record(text, z.enum(['open', 'fixed', 'not-affected', 'unknown'])),
        /** First signed index seen that offers the fix. */
        fixAvailableAt: z.record(text, text),
      }),
    )
    .max(1_000),
});

/** What one scan of nodes saw, as it is kept: everything the clocks are computed from. */
export type Observation = z.infer<typeof schema>;

/**
 * observe turns a report into what is kept of it. Verdicts are kept of identifiers that are open or unknown on some node
 * now, or were in an earlier observation: of others no clock runs. The report must be one of `all`. Pure.
 */
export function observe(
  report: NodesReport,
  silent: readonly string[],
  scope: Observation['scope'],
  before: readonly Observation[],
): Observation {
  const wanted = new Set([
    ...before.flatMap(({ releases }) => releases.flatMap(({ verdicts }) => Object.keys(verdicts))),
    ...report.releases.flatMap(({ report: { findings } }) =>
      findings
        .filter(({ verdict }) => verdict === 'open' || verdict === 'unknown')
        .map(({ vulnerability }) => vulnerability.id),
    ),
  ]);
  const keys = new Map<string, string>();
  const releases = report.releases.map(({ name, rootHash, hotLayerSerial, nodes, report: judged }) => {
    const key = hotLayerSerial === undefined ? rootHash : `${rootHash}+${hotLayerSerial}`;
    for (const node of nodes) keys.set(node, key);
    const told = judged.findings.filter(({ vulnerability }) => wanted.has(vulnerability.id));
    const { created } = judged.subject;
    return {
      ...{ key, name },
      ...(created === undefined || hotLayerSerial !== undefined ? {} : { createdAt: created }),
      verdicts: Object.fromEntries(told.map(({ vulnerability, verdict }) => [vulnerability.id, verdict])),
      fixAvailableAt: Object.fromEntries(
        told.flatMap(({ vulnerability, clocks: { fixAvailableAt: at } }) =>
          at === undefined ? [] : [[vulnerability.id, at]],
        ),
      ),
    };
  });
  return {
    ...{ format: 1, at: report.judgedAt, scope },
    nodes: report.nodes.map(({ node, nodeId, oldCode, integrity }) => {
      const runs = keys.get(node);
      // Who fails its integrity check may run anything.
      return {
        ...{ node, nodeId, oldCode },
        ...(runs === undefined || integrity.verdict === 'fail' ? {} : { runs }),
      };
    }),
    silent: [...silent].sort(),
    releases,
  };
}

/** addObservation signs an observation into a folder of the watch. @throws trust/signing-failed, host/io, host/disk-full */
export async function addObservation(folder: string, seen: Observation, signer: Signer): Promise<void> {
  await appendSignedLine(path(folder), PAYLOAD_TYPE, seen, signer);
}

/** readObservations reads those of a folder that a trusted key signed. @throws advisory/subject-invalid, host/io */
export async function readObservations(
  folder: string,
  trusted: readonly Certificate[],
): Promise<SignedLines<Observation>> {
  return await readSignedLines(path(folder), PAYLOAD_TYPE, schema, trusted);
}

function path(folder: string): string {
  return join(folder, 'nodes.jsonl');
}
