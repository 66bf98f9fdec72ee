import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { CisVerdict, type GetCisResponse, GetCisResponseSchema } from '@plinth/api';
import { PlinthError, readDocument } from '@plinth/base';
import { type CisBenchmark, cisBenchmark } from '../health/cis/benchmark.ts';
import { evaluateCis } from '../health/cis/evaluate.ts';
import { gatherCisFacts } from '../health/cis/gather-facts.ts';
import type { Sys } from '../sys/sys.ts';
import type { NodeRole } from './cluster-spec.ts';
import { LAYER_SHARE } from './paths.ts';

const verdicts = {
  pass: CisVerdict.PASS,
  fail: CisVerdict.FAIL,
  accepted: CisVerdict.ACCEPTED,
  manual: CisVerdict.MANUAL,
  unknown: CisVerdict.UNKNOWN,
} as const;

/** cisReport judges a member by the benchmark of its layer. @throws kubernetes/layer-refused without a sound one */
export async function cisReport(sys: Sys, role: NodeRole): Promise<GetCisResponse> {
  const benchmark = await readBenchmark(sys);
  const facts = await gatherCisFacts(sys, role, benchmark);
  return create(GetCisResponseSchema, {
    benchmark: benchmark.benchmark,
    results: evaluateCis(benchmark, facts).map((result) => ({
      ...result,
      verdict: verdicts[result.verdict],
    })),
    observedAt: timestampFromMs(sys.nowMs()),
  });
}

async function readBenchmark(sys: Pick<Sys, 'readFile'>): Promise<CisBenchmark> {
  const path = `${LAYER_SHARE}/cis.yaml`;
  const refuse = (state: string, hint?: string) =>
    new PlinthError(
      'kubernetes/layer-refused',
      `Cannot use ${path}: ${state}, expected the benchmark of the merged layer`,
      hint === undefined ? {} : { hint },
    );
  const bytes = await sys.readFile(path).catch(() => {
    throw refuse('it cannot be read', 'Upgrade the node to a layer that has the benchmark.');
  });
  const read = readDocument(bytes.toString('utf8'), path, cisBenchmark, 'kubernetes/layer-refused');
  if (!read.ok) throw refuse(read.diagnostics[0]?.message ?? 'it is not valid');
  return read.value;
}
