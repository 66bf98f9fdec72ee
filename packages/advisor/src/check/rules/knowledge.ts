import { z } from 'zod';
import { isoDate } from '../../facts/dates.ts';
import { severities } from './rule.ts';

const name = z.string().min(1);
const source = z.strictObject({ title: name, read: isoDate });

/** What a rule is, apart from how it looks for it. */
export const ruleSchema = z.strictObject({
  id: z.string().regex(/^PLM\d{3}$/),
  name: z.string().regex(/^[a-z0-9-]+$/),
  title: name,
  severity: z.enum(severities),
  why: name,
  fix: name,
  source: name,
});
export type Rule = z.infer<typeof ruleSchema>;
export const rulesSchema = z.strictObject({ rules: z.array(ruleSchema).min(1) });

/** Kinds of agents that are known by name, each with its rule. */
export const agentKinds = { cni: 'PLM040', csi: 'PLM041', agent: 'PLM042', gpu: 'PLM043' } as const;

const agentSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  name,
  kind: z.enum(Object.keys(agentKinds) as (keyof typeof agentKinds)[]),
  /** Repositories of its images, without registry: a last part, or more of them ("cilium/cilium"). */
  images: z.array(name).default([]),
  /** Names under which it registers as a CSI driver or provisioner. */
  provisioners: z.array(name).default([]),
  /** What it takes from the host. What the target has not makes it break; what nobody knows makes it unknown. */
  needs: z
    .strictObject({
      programs: z.array(name).default([]),
      modules: z.array(name).default([]),
      /** Host folders it writes to. */
      writes: z.array(name).default([]),
      apparmor: z.boolean().default(false),
      kernelHeaders: z.boolean().default(false),
      ownModules: z.boolean().default(false),
    })
    .default({
      programs: [],
      modules: [],
      writes: [],
      apparmor: false,
      kernelHeaders: false,
      ownModules: false,
    }),
  /** Folders of the host in which its daemons keep data of workloads. */
  keeps: z.array(name).default([]),
  /** What keeps pods that it starts by itself, and no manifest shows, from the level "baseline" of their namespace. */
  helpers: z.array(z.enum(['hostPath', 'privileged'])).default([]),
  /** What is said of it on a target, which comes before what its needs tell. */
  states: z
    .array(
      z.strictObject({
        target: name,
        state: z.enum(['works', 'needs-settings', 'breaks', 'unknown']),
        /** Versions this is said of: ">=1.2.0", "<0.35"; absent: all. */
        versions: z.string().optional(),
        note: name,
        source,
      }),
    )
    .default([]),
  /** What to do instead or besides. */
  advice: name,
  source,
});
export type Agent = z.infer<typeof agentSchema>;
export const agentsSchema = z.strictObject({ agents: z.array(agentSchema).min(1) });

const labelSchema = z.strictObject({
  /** A key of a node's label; patterns with "*". */
  key: name,
  /** Systems whose nodes carry it; none: nodes of a pool, whatever runs on them. */
  systems: z.array(name),
  what: name,
  source: name,
});
export type NodeLabel = z.infer<typeof labelSchema>;
export const labelsSchema = z.strictObject({ labels: z.array(labelSchema).min(1) });

export const programsSchema = z.strictObject({ programs: z.record(z.string(), z.array(name)) });
