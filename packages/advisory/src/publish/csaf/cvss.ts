/** A CVSS 3 vector with what follows from it. */
export interface CvssV3 {
  readonly version: '3.0' | '3.1';
  readonly vectorString: string;
  readonly baseScore: number;
  readonly baseSeverity: 'NONE' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL';
}

type Weights = Readonly<Record<string, number>>;

const IMPACT: Weights = { H: 0.56, L: 0.22, N: 0 };
const METRICS: Readonly<Record<string, Weights>> = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  PR: { N: 0.85, L: 0.62, H: 0.27 },
  UI: { N: 0.85, R: 0.62 },
  S: { U: 0, C: 1 },
  C: IMPACT,
  I: IMPACT,
  A: IMPACT,
};
/** With a changed scope privileges weigh less. */
const PRIVILEGES_CHANGED: Weights = { N: 0.85, L: 0.68, H: 0.5 };

/**
 * readCvssV3 checks a CVSS 3.0 or 3.1 vector of base metrics and computes its score (FIRST, CVSS 3.1, 7.1 and appendix A): a score
 * that a feed gives beside it may contradict it. Undefined for anything else, CVSS 2 and 4 included, which CSAF 2.0 cannot hold.
 */
export function readCvssV3(vector: string): CvssV3 | undefined {
  const [, version, rest] = /^CVSS:(3\.[01])\/([A-Z:/]{1,80})$/.exec(vector) ?? [];
  if ((version !== '3.0' && version !== '3.1') || rest === undefined) return undefined;
  const values = new Map<string, string>();
  for (const part of rest.split('/')) {
    const [metric = '', value = ''] = part.split(':');
    const weights = METRICS[metric];
    if (!weights || weights[value] === undefined || values.has(metric)) return undefined;
    values.set(metric, value);
  }
  if (values.size < Object.keys(METRICS).length) return undefined;
  const baseScore = score(values, version);
  return { version, vectorString: vector, baseScore, baseSeverity: severity(baseScore) };
}

function score(values: ReadonlyMap<string, string>, version: '3.0' | '3.1'): number {
  const isChanged = values.get('S') === 'C';
  const weight = (metric: string) => {
    const weights = metric === 'PR' && isChanged ? PRIVILEGES_CHANGED : METRICS[metric];
    return weights?.[values.get(metric) ?? ''] ?? 0;
  };
  const base = 1 - (1 - weight('C')) * (1 - weight('I')) * (1 - weight('A'));
  const impact = isChanged ? 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15 : 6.42 * base;
  if (impact <= 0) return 0;
  const exploitability = 8.22 * weight('AV') * weight('AC') * weight('PR') * weight('UI');
  return roundUp(
    Math.min(isChanged ? 1.08 * (impact + exploitability) : impact + exploitability, 10),
    version,
  );
}

function roundUp(value: number, version: '3.0' | '3.1'): number {
  if (version === '3.0') return Math.ceil(value * 10) / 10;
  const whole = Math.round(value * 100_000);
  return whole % 10_000 === 0 ? whole / 100_000 : (Math.floor(whole / 10_000) + 1) / 10;
}

function severity(value: number): CvssV3['baseSeverity'] {
  if (value === 0) return 'NONE';
  if (value < 4) return 'LOW';
  if (value < 7) return 'MEDIUM';
  return value < 9 ? 'HIGH' : 'CRITICAL';
}
