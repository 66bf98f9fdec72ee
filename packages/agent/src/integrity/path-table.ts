import { z } from 'zod';

/** Flags a mount can be required to carry. */
export const mountFlags = ['ro', 'nosuid', 'nodev', 'noexec'] as const;

const kinds = [
  'erofs-verity',
  'overlay',
  'disk',
  'esp',
  'tmpfs',
  'devices',
  'kernel',
  'automount',
  'workload',
] as const;
export type PathKind = (typeof kinds)[number];

const pathRule = z.strictObject({
  /** A path, or a path followed by "/**" for every mount below it. */
  path: z
    .string()
    .regex(/^\/(?:[^*]*[^*/])?(?:\/\*\*)?$/, 'expected an absolute path, at most with "/**" at its end'),
  kind: z.enum(kinds),
  /** Whether files below may change while the node runs. */
  writable: z.boolean(),
  /** Whether they survive a reboot. */
  persistent: z.boolean(),
  /** Flags the mount must carry. */
  flags: z.array(z.enum(mountFlags)),
  /** always: a node without this mount is not sound. */
  mounted: z.enum(['always', 'when-used']),
  why: z.string().min(1),
});

/** pathTable is the schema of os/paths.yaml: which paths exist on a node, and what each may be. */
export const pathTable = z.strictObject({ paths: z.array(pathRule).min(1) });

export type PathRule = z.infer<typeof pathRule>;
export type PathTable = z.infer<typeof pathTable>;
