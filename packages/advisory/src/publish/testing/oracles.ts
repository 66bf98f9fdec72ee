import type { Publisher } from '../record/publisher.ts';

/** Where the documents of tests are said to be. */
export const samplePublisher: Publisher = { name: 'Plinth', url: 'https://advisories.example' };

interface TestModule {
  readonly [name: string]: unknown;
}

interface Validation {
  readonly tests: readonly {
    readonly name: string;
    readonly isValid: boolean;
    readonly errors: readonly Message[];
    readonly warnings: readonly Message[];
  }[];
}

interface Message {
  readonly instancePath?: string;
  readonly message?: string;
}

/** One rule of CSAF 2.0 that a document does not keep. */
export interface CsafProblem {
  readonly test: string;
  readonly at: string;
  readonly message: string;
}

// The library has no types of its own.
const library = '@secvisogram/csaf-validator-lib';
const load = async (part: string): Promise<TestModule> => import(`${library}/${part}.js`);

/** validateCsaf runs the schema, the mandatory and the recommended tests of the OASIS validator over a document. */
export async function validateCsaf(text: string): Promise<readonly CsafProblem[]> {
  const modules = await Promise.all(['schemaTests', 'mandatoryTests', 'optionalTests'].map(load));
  const validate = (await load('validate'))['default'] as (
    tests: readonly unknown[],
    document: unknown,
  ) => Promise<Validation>;
  const { tests } = await validate(
    modules.flatMap((module) => Object.values(module)),
    JSON.parse(text),
  );
  return tests.flatMap(({ name, errors, warnings, isValid }) => {
    const messages = [...(errors ?? []), ...(warnings ?? [])];
    const shown = isValid || messages.length > 0 ? messages : [{ message: 'not valid' }];
    return shown.map(({ instancePath = '', message = '' }) => ({ test: name, at: instancePath, message }));
  });
}

/** checkScores runs the one test of the validator that computes scores anew, by the code that FIRST published. */
export async function checkScores(scores: readonly unknown[]): Promise<boolean> {
  const { mandatoryTest_6_1_9: run } = await load('mandatoryTests');
  const test = run as (document: unknown) => { readonly isValid: boolean };
  return test({ vulnerabilities: [{ scores: scores.map((cvss) => ({ cvss_v3: cvss })) }] }).isValid;
}

/** listedWeaknesses gives the CWE list of the validator: id → name. */
export async function listedWeaknesses(): Promise<readonly (readonly [string, string])[]> {
  const { weaknesses } = await load('cwe');
  return (weaknesses as readonly { readonly id: string; readonly name: string }[]).map(({ id, name }) => [
    id,
    name,
  ]);
}
