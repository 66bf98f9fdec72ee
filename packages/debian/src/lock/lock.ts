import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits');
const isoTime = z.iso.datetime();
const archive = z.enum(['debian', 'security']);
const text = z.string().min(1).max(1000);

const lockedPackageSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, 'a Debian package name'),
  version: text,
  /** The source package and its version: advisories are written for these. */
  source: text,
  sourceVersion: text,
  archive,
  suite: text,
  /** Path below the archive's base address; no host name. */
  path: z
    .string()
    .regex(/^[A-Za-z0-9+._~%/-]+\.deb$/, 'a relative path of a .deb')
    .refine((path) => !path.startsWith('/') && !path.split('/').includes('..'), 'a path inside the archive'),
  sizeBytes: z.int().positive(),
  sha256,
  /** The reason given in the list, or "needed by NAME". */
  why: text,
  /** Sources compiled into it, "name (= version)": the Built-Using and Static-Built-Using fields. */
  builtUsing: z.array(text).optional(),
  staticBuiltUsing: z.array(text).optional(),
});

const lockedIndexSchema = z.strictObject({
  archive,
  suite: text,
  component: text,
  date: isoTime,
  validUntil: isoTime.optional(),
  inReleaseSha256: sha256,
  packagesSha256: sha256,
});

/** lockSchema is the format of os/*.lock.json: exactly which packages, and from which signed indexes they were chosen. */
export const lockSchema = z.strictObject({
  format: z.literal(1),
  architecture: z.literal('amd64'),
  /** Date of the newest index. */
  created: isoTime,
  /** Identifies the package list, see packageSetDigest. */
  specDigest: sha256,
  indexes: z.array(lockedIndexSchema),
  packages: z.array(lockedPackageSchema),
});

export type Lock = z.output<typeof lockSchema>;
export type LockedPackage = z.output<typeof lockedPackageSchema>;
