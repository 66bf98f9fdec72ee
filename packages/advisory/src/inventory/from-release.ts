import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError } from '@plinth/host';
import { z } from 'zod';
import { type BoundedText, parseBoundedJson, readBounded } from '../documents/read-file.ts';
import type { Inventory, KernelFacts } from '../model/index.ts';
import { inventoryOfSpdx } from './from-spdx.ts';
import { modulesOf } from './kernel-facts.ts';

const text = z.string().max(20_000);
const manifestSchema = z.object({
  format: z.literal(1),
  name: text,
  version: text,
  architecture: text,
  created: text,
  rootHash: z.string().regex(/^[0-9a-f]{64}$/, 'it is no root hash, expected 64 hexadecimal digits'),
  kernel: z.object({ version: text }),
});
const factsSchema = z.object({
  format: z.literal(1),
  version: text,
  files: z.array(z.object({ path: text, kind: text })).max(2_000_000),
  kernelConfig: z.record(text, text),
});

const ARCHITECTURES: Readonly<Record<string, string>> = { 'x86-64': 'amd64', arm64: 'arm64' };

/**
 * inventoryOfRelease reads a release folder: its manifest, its SBOM and its facts, each as SHA256SUMS says it must
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
  const [manifestText, spdxText, factsText] = [
    await read(manifestName),
    await read(`${base}.spdx.json`),
    await read(`${base}.facts.json`),
  ];
  const manifest = parse(manifestSchema, manifestText, manifestName);
  const facts = parse(factsSchema, factsText, `${base}.facts.json`);
  const spdxName = `${base}.spdx.json`;
  const spdx = inventoryOfSpdx(parseBoundedJson(spdxText.text, spdxName), spdxName, spdxText.sha256);
  return {
    ...spdx,
    subject: {
      ...spdx.subject,
      kind: 'release',
      name: manifest.name,
      version: manifest.version,
      architecture: ARCHITECTURES[manifest.architecture] ?? manifest.architecture,
      rootHash: manifest.rootHash,
      created: manifest.created,
    },
    inputs: [
      { locator: manifestName, sha256: manifestText.sha256, source: 'manifest' },
      ...spdx.inputs,
      { locator: `${base}.facts.json`, sha256: factsText.sha256, source: 'file-list' },
    ],
    kernel: kernelOf(manifest.kernel.version, facts, spdx, `${base}.facts.json`),
    files: facts.files
      .filter(({ kind }) => kind !== 'dir')
      .map(({ path }) => path)
      .sort(),
    gaps: [
      ...spdx.gaps,
      ...(sums ? [] : ['the release has no SHA256SUMS: its papers were taken as they are']),
      'modules.builtin and modprobe.d of the image are not in its papers: such evidence was not used',
    ],
  };
}

function kernelOf(
  release: string,
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
    provenance: { source: 'kernel-config', locator },
  };
}

function parse<T>(schema: z.ZodType<T>, { text: json }: BoundedText, name: string): T {
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
