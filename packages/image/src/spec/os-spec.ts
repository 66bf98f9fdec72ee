import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError, readDocument } from '@plinth/base';
import { checkPackageSet, type PackageSet, packageSetFields } from '@plinth/debian';
import { versionSchema } from '@plinth/updates';
import { z } from 'zod';
import { executeLevels } from '../ipe/ipe-policy.ts';
import { programSource } from './program-source.ts';
import { requireUnitLinks } from './unit-links.ts';

const reasoned = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject({ ...shape, reason: z.string().min(1) });
const absolutePath = z.string().regex(/^\/[^\0]*$/, 'expected an absolute path');
const unitName = z
  .string()
  .regex(/^[\w@.\\:-]+\.(service|socket|target|mount|automount|timer|path)$/, 'expected a unit name');

/** Schema of os/plinth.yaml: what the operating system is. */
export const osSpecSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/)
    .describe('Image name; part of every artefact name and of partition labels.'),
  prettyName: z.string().min(1).describe('Name for people, in os-release and the boot menu.'),
  version: versionSchema.describe(
    'Image version in the UAPI.10 format: 1.4.0, 1.5.0~rc1. At most 22 characters: it is in partition labels, which hold 36.',
  ),
  supportEnd: z.iso.date().describe('Last day of support, SUPPORT_END of os-release(5).'),
  homepage: z.url().describe('HOME_URL of os-release(5), also in the SBAT entry of the UKI.'),
  ...packageSetFields,
  kernel: z
    .strictObject({ flavour: z.enum(['cloud', 'generic']), package: z.string() })
    .describe('The kernel flavour and the package that pulls it in.'),
  execute: z
    .enum(executeLevels)
    .describe(
      'What may execute (os/ipe): "signed", only what lies on signed volumes, in containers too; "audit", everything, and the node tells what lies elsewhere; "open", everything.',
    ),
  programs: z
    .array(reasoned({ from: programSource, path: absolutePath }))
    .describe('Programs compiled from go/components.yaml (component/program), and where they lie.'),
  extensions: z
    .strictObject({
      level: z
        .string()
        .regex(/^[0-9]+$/)
        .describe('SYSEXT_LEVEL of os-release(5): what layers may rely on; it grows when that changes.'),
      kubernetes: z
        .array(z.string().regex(/^[0-9]+\.[0-9]+$/, 'expected a minor such as 1.37'))
        .min(1)
        .describe('Minors of Kubernetes that this image runs, oldest first.'),
    })
    .describe('Which layers the image accepts.'),
  removed: z
    .array(reasoned({ path: absolutePath }))
    .describe(
      'Paths of packages that the image does not carry; a trailing slash means everything below, * any one name.',
    ),
  scriptPaths: z.array(absolutePath).describe('Folders in which files that start with "#!" are removed.'),
  kernelCommandLine: z
    .array(z.union([z.string().min(1), reasoned({ argument: z.string().min(1) })]))
    .describe('Kernel arguments; they are part of the signed UKI and cannot be changed on the node.'),
  storage: z
    .strictObject({
      var: z.strictObject({
        encrypt: z
          .enum(['tpm2', 'off'])
          .describe(
            'Whether a /var that is made anew is encrypted with a key that only the TPM of the machine gives, and only to releases of the same keys. A machine without a TPM gets a plain one, and one that is there stays as it is.',
          ),
      }),
    })
    .describe("What the machine's own disk holds beside the system."),
  verityOptions: z.array(z.string()).describe('Options of systemd.verity_root_options beside the signature.'),
  boot: z.strictObject({
    timeoutSeconds: z.int().min(0).max(60).describe('How long the boot menu waits.'),
  }),
  units: z.strictObject({
    default: unitName.describe('The unit the boot ends in.'),
    enabled: z
      .array(reasoned({ name: unitName }))
      .describe('Units that start at boot; all others are disabled.'),
    masked: z.array(reasoned({ name: unitName })).describe('Units that can never start.'),
  }),
});

/** The package list inside os/plinth.yaml, in the form the lock is made from. */
export function packageSetOf({ suites, packages, dropped }: OsSpec): PackageSet {
  return { suites, packages, dropped };
}

export type OsSpec = z.infer<typeof osSpecSchema>;

/** Schema of os/initrd.yaml: what the initrd carries. */
export const initrdSpecSchema = z.strictObject({
  programs: z.array(absolutePath).describe('Programs; the libraries they link come in by themselves.'),
  dlopen: z
    .array(z.string())
    .describe('Libraries that programs open by themselves (UAPI.12) and the initrd carries.'),
  units: z
    .array(z.string())
    .describe('Units of the image that the initrd carries too; links between them follow.'),
  udevRules: z.array(z.string()).describe('Rules files of udev.'),
  files: z.array(absolutePath).describe('Other files of the image.'),
  modules: z.array(z.string()).describe('Kernel modules; those they need come in by themselves.'),
});

export type InitrdSpec = z.infer<typeof initrdSpecSchema>;

/** The fields that the contents of the root depend on beside packages; the compiler keeps the tree's code to them. */
export type TreeSpec = Pick<
  OsSpec,
  | 'name'
  | 'prettyName'
  | 'version'
  | 'supportEnd'
  | 'homepage'
  | 'kernel'
  | 'execute'
  | 'extensions'
  | 'units'
>;

/** Takes just those fields, so that another kernel argument does not make the root anew. */
export function treeSpecOf(spec: OsSpec): TreeSpec {
  const { name, prettyName, version, supportEnd, homepage, kernel, execute, extensions, units } = spec;
  return { name, prettyName, version, supportEnd, homepage, kernel, execute, extensions, units };
}

/** The kernel arguments as text, in their order. */
export function kernelArguments(spec: OsSpec): string[] {
  return spec.kernelCommandLine.map((entry) => (typeof entry === 'string' ? entry : entry.argument));
}

/**
 * loadOsSpec reads os/plinth.yaml and os/initrd.yaml from the `os` folder.
 * @throws image/spec-invalid with every problem and its place; host/io
 */
export async function loadOsSpec(osDir: string): Promise<{ os: OsSpec; initrd: InitrdSpec }> {
  await requireUnitLinks(osDir);
  return {
    os: await load(join(osDir, 'plinth.yaml'), osSpecSchema.superRefine(checkPackageSet)),
    initrd: await load(join(osDir, 'initrd.yaml'), initrdSpecSchema),
  };
}

async function load<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readFile(path, 'utf8').catch((reason: unknown) => {
    throw PlinthError.from(reason, 'host/io', `Cannot read ${path}`);
  });
  const result = readDocument(text, path, schema, 'image/spec-invalid');
  if (result.ok) return result.value;
  const count = result.diagnostics.length;
  throw new PlinthError(
    'image/spec-invalid',
    `Cannot use ${path}: ${count} problem(s) found, expected none`,
    {
      diagnostics: result.diagnostics,
    },
  );
}
