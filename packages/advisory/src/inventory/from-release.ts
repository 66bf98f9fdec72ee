import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError } from '@plinth/host';
import { z } from 'zod';
import { type BoundedText, parseBoundedJson, readBounded } from '../documents/read-file.ts';
import type { CheckedStatement, Inventory, KernelFacts } from '../model/index.ts';
import { inventoryOfSpdx } from './from-spdx.ts';
import { deniedByCommandLine, modulesOf } from './kernel-facts.ts';
import { debianArchitecture } from './release-architecture.ts';
import { vexPaperSchema } from './vex-paper.ts';

const text = z.string().max(20_000);
const manifestSchema = z.object({
  format: z.literal(1),
  name: text,
  version: text,
  architecture: text,
  created: text,
  rootHash: z.string().regex(/^[0-9a-f]{64}$/, 'it is no root hash, expected 64 hexadecimal digits'),
  kernel: z.object({ version: text, commandLine: text.default('') }),
});
const factsSchema = z.object({
  format: z.literal(1),
  version: text,
  files: z.array(z.object({ path: text, kind: text })).max(2_000_000),
  kernelConfig: z.record(text, text),
  kernelModules: z
    .object({ builtin: z.array(text).max(100_000), denied: z.array(text).max(100_000) })
    .optional(),
});

/**
 * inventoryOfRelease reads a release folder: its manifest, its SBOM, its facts and what its build asked it, each as SHA256SUMS says it must
 * be. Whether the sums are signed is what `plinth verify` tells.
 * @throws advisory/subject-invalid, host/io
 */
export async function inventoryOfRelease(folder: string): Promise<Inventory> {
  const names = await readdir(folder).catch((reason: unknown) => {
    throw ioError(reason, `list ${folder}`);
  });
  const manifestName = names.find((name) => name.endsWith('.manifest.json')) ?? '';
  const base = manifestName.replace(/\.manifest\.json$/, '');
  const sums = names.includes('SHA256SUMS')
    ? parseSums((await readBounded(join(folder, 'SHA256SUMS'))).text)
    : undefined;
  const read = async (name: string): Promise<BoundedText> => {
    const document = await readBounded(join(folder, name));
    const expected = sums?.get(name);
    if (sums && expected !== document.sha256) {
      throw refuse(
        name,
        `its SHA-256 is ${document.sha256}`,
        `${expected ?? 'it to be listed'}, as SHA256SUMS says`,
      );
    }
    return document;
  };
  const manifest = parse(manifestSchema, await read(manifestName), manifestName);
  const documents: ReleaseDocuments = {
    spdx: { name: `${base}.spdx.json`, ...(await read(`${base}.spdx.json`)) },
    facts: { name: `${base}.facts.json`, ...(await read(`${base}.facts.json`)) },
    ...(names.includes(`${base}.vex.json`)
      ? { vex: { name: `${base}.vex.json`, ...(await read(`${base}.vex.json`)) } }
      : {}),
  };
  const inventory = inventoryOfPapers(manifest, documents);
  return {
    ...inventory,
    inputs: [
      { locator: manifestName, sha256: (await read(manifestName)).sha256, source: 'manifest' },
      ...inventory.inputs,
    ],
    gaps: [
      ...inventory.gaps,
      ...(sums ? [] : ['the release has no SHA256SUMS: its papers were taken as they are']),
    ],
  };
}

/** A paper as it was read, with its digest. */
type Paper = Pick<BoundedText, 'text' | 'sha256'> & { readonly name: string };

/** The papers that tell what is in a release. */
export interface ReleaseDocuments {
  readonly spdx: Paper;
  readonly facts: Paper;
  /** What its build asked it; a release of which nothing is said has none. */
  readonly vex?: Paper;
}

/** inventoryOfPapers makes the inventory of a release out of its papers; pure. @throws advisory/subject-invalid */
export function inventoryOfPapers(
  manifest: z.infer<typeof manifestSchema>,
  { spdx: spdxPaper, facts: factsPaper, vex: vexPaper }: ReleaseDocuments,
): Inventory {
  const facts = parse(factsSchema, factsPaper, factsPaper.name);
  const vex = vexPaper && parse(vexPaperSchema, vexPaper, vexPaper.name);
  const { name, text: json, sha256 } = spdxPaper;
  const spdx = inventoryOfSpdx(parseBoundedJson(json, name), name, sha256);
  return {
    ...spdx,
    subject: {
      ...spdx.subject,
      kind: 'release',
      name: manifest.name,
      version: manifest.version,
      architecture: debianArchitecture(manifest.architecture),
      rootHash: manifest.rootHash,
      created: manifest.created,
    },
    inputs: [
      ...spdx.inputs,
      { locator: factsPaper.name, sha256: factsPaper.sha256, source: 'file-list' },
      ...(vexPaper ? [{ locator: vexPaper.name, sha256: vexPaper.sha256, source: 'vex' as const }] : []),
    ],
    kernel: kernelOf(manifest.kernel, facts, spdx, factsPaper.name),
    files: facts.files
      .filter(({ kind }) => kind !== 'dir')
      .map(({ path }) => path)
      .sort(),
    ...(vex ? { statements: vex.statements } : {}),
    gaps: [
      ...spdx.gaps,
      ...(facts.kernelModules
        ? []
        : ['modules.builtin and modprobe.d of the image are not in its papers: such evidence was not used']),
      ...brokenStatements(vex?.statements ?? []),
    ],
  };
}

/** What is said of the image and was not so when it was built: told also where no source speaks of the flaw any more. */
function brokenStatements(statements: readonly CheckedStatement[]): string[] {
  const held = new Set(statements.filter(({ outcome }) => outcome.holds === 'yes').map(({ id }) => id));
  return statements
    .filter(({ id, outcome }) => outcome.holds === 'no' && !held.has(id))
    .map(({ id, outcome }) => `what is said of ${id} does not hold: ${outcome.detail}`);
}

function kernelOf(
  { version: release, commandLine }: z.infer<typeof manifestSchema>['kernel'],
  facts: z.infer<typeof factsSchema>,
  { binaries }: Inventory,
  locator: string,
): KernelFacts {
  const found = modulesOf(facts.files.map(({ path }) => path));
  const owner = binaries.find(({ name }) => name === `linux-image-${release}`)?.name;
  return {
    release,
    ...(owner === undefined ? {} : { package: owner }),
    config: Object.fromEntries(
      Object.entries(facts.kernelConfig).map(([symbol, value]) => [`CONFIG_${symbol}`, value]),
    ),
    // A list for another kernel than the one that boots says nothing about it.
    ...(found.release === release ? { modules: found.modules } : {}),
    ...(facts.kernelModules
      ? {
          builtin: facts.kernelModules.builtin,
          denied: [...new Set([...facts.kernelModules.denied, ...deniedByCommandLine(commandLine)])].sort(),
        }
      : {}),
    provenance: { source: 'kernel-config', locator },
  };
}

function parse<T>(schema: z.ZodType<T>, { text: json }: Pick<BoundedText, 'text'>, name: string): T {
  const result = schema.safeParse(parseBoundedJson(json, name));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw refuse(
    name,
    `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'invalid'}`,
    'a paper of a release',
  );
}

function parseSums(sums: string): Map<string, string> {
  return new Map(
    [...sums.matchAll(/^([0-9a-f]{64}) [ *](\S+)$/gm)].map(([, sha256 = '', name = '']) => [name, sha256]),
  );
}

function refuse(name: string, state: string, expected: string): PlinthError {
  return new PlinthError('advisory/subject-invalid', `Cannot read ${name}: ${state}, expected ${expected}`);
}
