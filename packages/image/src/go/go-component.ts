import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PlinthError, readDocument } from '@plinth/base';
import { isErrno } from '@plinth/host';
import { z } from 'zod';
import { requiredVersion } from './required-version.ts';

const recipe = z.strictObject({
  /** The module whose required version is the version of the component. */
  upstream: z.string().min(1).optional(),
  /** The version of what has no upstream because it is our own. */
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+$/, 'expected a version such as 1.2.3')
    .optional(),
  /** Lists of requirements beside the one source: minors/<variant>.mod. */
  variants: z.array(z.string().regex(/^[0-9]+\.[0-9]+$/, 'expected a minor such as 1.37')).optional(),
  tags: z.array(z.string().regex(/^\w+$/, 'expected a build tag')).default([]),
  /** Text variables that the linker sets. */
  variables: z.record(z.string(), z.string().regex(/^\S*$/, 'expected no blanks')).default({}),
  /** Packages to build; each gives a program of the name of its last folder. */
  programs: z.array(z.string().min(1)).default([]),
  /** Packages whose tests are built; each gives a program of that name and ".test". */
  tests: z.array(z.string().min(1)).default([]),
  cpuSeconds: z.strictObject({ compile: z.number().positive(), link: z.number().positive() }),
});

const named = recipe
  .refine(({ upstream, version }) => (upstream === undefined) !== (version === undefined), {
    message: 'expected either upstream or version',
  })
  .refine(({ programs, tests }) => programs.length > 0 !== tests.length > 0, {
    message: 'expected either programs or tests',
  });

const schema = z.record(z.string().regex(/^[a-z][a-z-]*$/, 'expected the name of a folder'), named);

/** One thing to compile: a module, its requirements, and how. */
export interface GoComponent {
  /** "coredns", or "kubernetes-1.37" where one source serves several versions. */
  readonly name: string;
  /** Version of the upstream project, without "v"; our own for what has none. */
  readonly version: string;
  /** Folder of the module on this machine. */
  readonly moduleDir: string;
  /** The list of requirements inside that folder; its go.sum has the same name. */
  readonly modFile: string;
  readonly tags: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  /** Packages to build. */
  readonly packages: readonly string[];
  /** The tests of the packages are what is built: a suite of others, never part of an image. */
  readonly isTests: boolean;
  readonly cpuSeconds: { readonly compile: number; readonly link: number };
}

/** programNames is what the go command calls the programs of a component. */
export function programNames({ packages, isTests }: GoComponent): string[] {
  return packages.map((path) => `${basename(path)}${isTests ? '.test' : ''}`);
}

/**
 * loadGoComponents reads components.yaml of the `go` folder, and the version of each from its module.
 * @returns components by name
 * @throws go/components-invalid
 */
export async function loadGoComponents(goDir: string): Promise<ReadonlyMap<string, GoComponent>> {
  const path = join(goDir, 'components.yaml');
  const document = readDocument(await readText(path), path, schema, 'go/components-invalid');
  if (!document.ok) {
    throw new PlinthError(
      'go/components-invalid',
      `Cannot use ${path}: ${document.diagnostics.length} problem(s) found, expected none`,
      { diagnostics: document.diagnostics },
    );
  }
  const components = await Promise.all(
    Object.entries(document.value).flatMap(([folder, each]) => {
      const moduleDir = join(goDir, folder);
      if (each.variants === undefined) return [readComponent(folder, moduleDir, 'go.mod', each)];
      return each.variants.map((variant) =>
        readComponent(`${folder}-${variant}`, moduleDir, `minors/${variant}.mod`, each),
      );
    }),
  );
  return new Map(components.map((component) => [component.name, component]));
}

async function readComponent(
  name: string,
  moduleDir: string,
  modFile: string,
  { upstream, version: own = '', tags, variables, programs, tests, cpuSeconds }: z.infer<typeof recipe>,
): Promise<GoComponent> {
  const path = join(moduleDir, modFile);
  const version = upstream === undefined ? own : requiredVersion(await readText(path), upstream, path);
  const [major = '', minor = ''] = version.split('.');
  const fill = (text: string) =>
    text.replaceAll('{version}', version).replaceAll('{major}', major).replaceAll('{minor}', minor);
  return {
    name,
    version,
    moduleDir,
    modFile,
    tags,
    variables: Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, fill(value)])),
    packages: [...programs, ...tests],
    isTests: tests.length > 0,
    cpuSeconds,
  };
}

/**
 * digestComponent identifies the files a component is compiled from: its source and its own list of requirements, not
 * the lists of other versions and not its tests.
 */
export async function digestComponent({ moduleDir, modFile }: GoComponent): Promise<string> {
  const hash = createHash('sha256');
  const own = [modFile, modFile.replace(/\.mod$/, '.sum')];
  const entries = await readdir(moduleDir, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(moduleDir.length + 1))
    .filter((name) => (name.endsWith('.go') && !name.endsWith('_test.go')) || own.includes(name));
  for (const name of names.sort()) {
    const bytes = await readFile(join(moduleDir, name));
    hash.update(`${name} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (reason) {
    if (!isErrno(reason, 'ENOENT')) throw PlinthError.from(reason, 'host/io', `Cannot read ${path}`);
    throw new PlinthError('go/components-invalid', `Cannot read ${path}: it is missing, expected a file`);
  }
}
