import { z } from 'zod';
import { isoDate } from './dates.ts';
import { isRange } from './version-range.ts';

/** What a fact can be about: its key, the words people read, and the values it may have. */
export interface FactKind {
  readonly title: string;
  readonly value: z.ZodType<FactValue>;
  /** Whether it is a row of the comparison table. */
  readonly compared?: true;
}

/** A value of a fact: one word, number or text, or a set of words. */
export type FactValue = string | number | readonly string[];

const words = <const W extends readonly [string, ...string[]]>(...choices: W) => z.enum(choices);
const setOf = <const W extends readonly [string, ...string[]]>(...choices: W) =>
  z.array(z.enum(choices)).min(1);
const text = z.string().min(1).max(600);
const range = z.string().refine(isRange, {
  error: 'it is no range of versions, expected all, >=1.32, <=1.36 or 1.28-1.36',
});
const offered = words('yes', 'no', 'limited');
export const platformIds = ['aks', 'eks', 'gke', 'ack', 'on-premises', 'bare-metal'] as const;

/** Every kind of fact about an operating system. `limited` means: with conditions that the note tells. */
export const systemFacts = {
  status: {
    title: 'Status',
    compared: true,
    value: words('ga', 'active', 'preview', 'unreleased', 'retired', 'removed', 'archived'),
  },
  retires: { title: 'Retires', compared: true, value: isoDate },
  'images-removed': { title: 'Images removed', value: isoDate },
  'made-for': { title: 'Made for', compared: true, value: setOf(...platformIds) },
  platforms: { title: 'Runs on', compared: true, value: setOf(...platformIds) },
  portability: { title: 'Portability', compared: true, value: words('one-platform', 'several') },
  'default-on': { title: 'Default of', value: setOf(...platformIds) },
  support: {
    title: 'Support',
    compared: true,
    value: words('platform-vendor', 'platform-integration', 'vendor', 'community', 'none'),
  },
  governance: {
    title: 'Governance',
    compared: true,
    value: words('platform-vendor', 'vendor', 'foundation', 'community', 'project'),
  },
  purpose: { title: 'Purpose', compared: true, value: words('container', 'general') },
  filesystem: { title: 'File system', compared: true, value: words('immutable', 'read-only', 'writable') },
  integrity: {
    title: 'Integrity of the OS files',
    compared: true,
    value: words('verity-signed', 'verity', 'signed-image', 'ostree', 'none'),
  },
  'secure-boot': {
    title: 'Secure Boot',
    compared: true,
    value: words('mandatory', 'default', 'option', 'no'),
  },
  uki: { title: 'Unified kernel image', compared: true, value: offered },
  'trusted-launch': { title: 'Trusted Launch', value: words('mandatory', 'default', 'option', 'no') },
  'code-integrity': {
    title: 'Code integrity',
    compared: true,
    value: words('enforcing', 'audit', 'modules', 'none'),
  },
  mac: {
    title: 'Mandatory access control',
    compared: true,
    value: words('selinux-enforcing', 'selinux-permissive', 'selinux', 'apparmor', 'none'),
  },
  lockdown: { title: 'Kernel lockdown', value: words('confidentiality', 'integrity', 'none') },
  'package-manager': { title: 'Package manager', compared: true, value: words('yes', 'unusable', 'no') },
  shell: { title: 'Shell', compared: true, value: offered },
  ssh: { title: 'ssh', compared: true, value: words('yes', 'disabled', 'no') },
  debugging: { title: 'Debugging', value: text },
  customisation: { title: 'Customised by', value: text },
  'config-api': {
    title: 'Management API',
    compared: true,
    value: words('remote', 'local', 'platform', 'none'),
  },
  updates: {
    title: 'Updates',
    compared: true,
    value: setOf('a-b', 'reimage', 'packages', 'image', 'replace', 'snaps'),
  },
  'update-protocol': { title: 'Update protocol', value: text },
  rollback: { title: 'Roll-back', compared: true, value: words('automatic', 'manual', 'none') },
  'delta-updates': { title: 'Delta updates', compared: true, value: offered },
  'reboot-coordination': { title: 'Reboots coordinated by', value: text },
  fips: { title: 'FIPS', compared: true, value: words('always', 'option', 'by-hand', 'no') },
  certifications: { title: 'Certifications', compared: true, value: setOf('fedramp', 'none') },
  cis: { title: 'CIS', compared: true, value: words('default', 'reports', 'assessed', 'not-assessed') },
  sbom: { title: 'SBOM', compared: true, value: words('published', 'claimed', 'no') },
  advisories: { title: 'Advisories', value: text },
  cadence: { title: 'Releases', value: text },
  'support-window': { title: 'Support window', value: text },
  kubernetes: { title: 'Kubernetes versions', compared: true, value: range },
  'kubernetes-coupling': { title: 'Kubernetes comes', value: text },
  arm64: { title: 'Arm64', compared: true, value: offered },
  nvidia: { title: 'NVIDIA GPU', compared: true, value: offered },
  'gpu-operator': { title: 'GPU Operator', value: offered },
  'amd-gpu': { title: 'AMD GPU', compared: true, value: offered },
  'confidential-vm': { title: 'Confidential VM', compared: true, value: offered },
  sandboxing: { title: 'Pod Sandboxing', compared: true, value: offered },
  'artifact-streaming': { title: 'Artifact Streaming', value: offered },
  'node-auto-provisioning': { title: 'Node auto-provisioning', value: offered },
  'gen1-vm': { title: 'Generation 1 VM', value: offered },
  terraform: { title: 'Terraform', compared: true, value: offered },
  'os-upgrade-channels': { title: 'OS upgrade channels', value: text },
  packages: { title: 'Packages', compared: true, value: z.int().positive() },
  'node-ready': { title: 'Time until ready', value: text },
  'os-sku': { title: 'Name in the cloud interface', value: text },
  'os-sku-variants': { title: 'Names by processor, GPU and FIPS', value: z.array(text).min(1) },
  'minimum-cli': { title: 'Minimum CLI', value: text },
  'feature-flag': { title: 'Feature flag', value: text },
  limits: { title: 'Limits', value: text },
} as const satisfies Readonly<Record<string, FactKind>>;

/** Every kind of fact about a platform. */
export const platformFacts = {
  control: { title: 'Control plane', value: words('managed', 'own') },
  surge: { title: 'Surge advised', value: text },
  'drain-timeout-minutes': { title: 'Drain timeout, minutes', value: z.int().nonnegative() },
  'soak-minutes': { title: 'Soak per node, minutes', value: z.int().nonnegative() },
  'node-start-seconds': { title: 'Node start, seconds', value: z.int().positive() },
  'in-place-os-change': { title: 'OS changed in place', value: offered },
  'way-back': { title: 'Way back', value: text },
  'update-strategy': { title: 'How nodes are replaced', value: text },
  'trusted-launch-needs': { title: 'Trusted Launch needs', value: text },
  'fips-needs': { title: 'FIPS needs', value: text },
  advice: { title: 'Advice', value: text },
  limits: { title: 'Limits', value: text },
} as const satisfies Readonly<Record<string, FactKind>>;
