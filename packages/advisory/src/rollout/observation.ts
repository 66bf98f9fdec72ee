import { join } from 'node:path';
import type { Certificate, Signer } from '@plinth/trust';
import { z } from 'zod';
import { verdicts } from '../model/index.ts';
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
  /** Nodes that answered, together where they say the same. */
  nodes: z
    .array(
      z.object({
        names: z.array(text).min(1).max(100_000),
        /** Key of what they run, in `releases` here or of an earlier observation; absent: it could not be judged. */
        runs: text.optional(),
        /** Keys of the Kubernetes layers it has open, where they were judged. */
        layers: z.array(text).max(20).optional(),
        oldCode: z.enum(['none', 'mapped', 'unknown']),
      }),
    )
    .max(100_000),
  /** Nodes that were asked and did not answer. */
  silent: z.array(text).max(100_000),
  /** What was judged, where it is new or judged otherwise than in the observation before. */
  releases: z
    .array(
      z.object({
        /** Root hash, with "+3" where hot layer 3 is merged. */
        key: text,
        name: text,
        /** When the image was made, as its papers say; absent for a hot layer. */
        createdAt: text.optional(),
        verdicts: z.record(text, z.enum(verdicts)),
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
  const keys: NodeKeys = { runs: new Map(), layers: new Map() };
  const releases = report.releases.map(({ kind, name, rootHash, hotLayerSerial, nodes, report: judged }) => {
    const key = hotLayerSerial === undefined ? rootHash : `${rootHash}+${hotLayerSerial}`;
    for (const node of nodes) {
      if (kind === 'release') keys.runs.set(node, key);
      else keys.layers.set(node, [...(keys.layers.get(node) ?? []), key].sort());
    }
    const told = judged.findings.filter(({ vulnerability }) => wanted.has(vulnerability.id));
    const { created } = judged.subject;
    return {
      ...{ key, name },
      // Papers say what they like; what is no instant starts no clock.
      ...(hotLayerSerial !== undefined || Number.isNaN(Date.parse(created ?? ''))
        ? {}
        : { createdAt: new Date(created ?? '').toISOString() }),
      verdicts: sorted(told.map(({ vulnerability, verdict }) => [vulnerability.id, verdict] as const)),
      fixAvailableAt: sorted(
        told.flatMap(({ vulnerability, clocks: { fixAvailableAt: at } }) =>
          at === undefined ? [] : [[vulnerability.id, at] as const],
        ),
      ),
    };
  });
  const known = new Map(
    before
      .toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))
      .flatMap((each) => each.releases.map((release) => [release.key, JSON.stringify(release)] as const)),
  );
  return {
    ...{ format: 1, at: report.judgedAt, scope },
    nodes: groupsOf(report, keys),
    silent: [...silent].sort(),
    releases: releases.filter((release) => known.get(release.key) !== JSON.stringify(release)),
  };
}

/** What each node runs, by the keys of releases. */
interface NodeKeys {
  readonly runs: Map<string, string>;
  readonly layers: Map<string, readonly string[]>;
}

function groupsOf({ nodes }: NodesReport, keys: NodeKeys): Observation['nodes'] {
  const told = nodes.map(({ node, oldCode, integrity }) => {
    // Who fails its integrity check may run anything.
    const runs = integrity.verdict === 'fail' ? undefined : keys.runs.get(node);
    const layers = runs === undefined ? undefined : keys.layers.get(node);
    return {
      node,
      said: { oldCode, ...(runs === undefined ? {} : { runs }), ...(layers ? { layers: [...layers] } : {}) },
    };
  });
  const groups = Map.groupBy(told, ({ said }) => JSON.stringify(said));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    return [{ names: group.map(({ node }) => node).sort(), ...first.said }];
  });
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

/** In the order of identifiers, so that the same verdicts are the same text. */
function sorted<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function path(folder: string): string {
  return join(folder, 'nodes.jsonl');
}
