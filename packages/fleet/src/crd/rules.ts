import { releaseSpec } from '../objects/index.ts';
import type { CelRule } from './structural-schema.ts';

// What no schema says: rules over several fields, and over what an object was before. The API server checks them, so that
// kubectl and tools of GitOps are told at once. Rules over several objects are the operator's: conditions of a status.

/** Rules by place in the spec: "" is the spec, "waves[]" an item of a list in it. */
export type FleetRules = Readonly<Record<string, readonly CelRule[]>>;

/** The recall: all that may change of a release. */
const RECALL = ['blocked', 'blockedReason'];

/** What has a default is always there when rules are checked. */
function unchanged(field: string, isOptional: boolean): string {
  if (!isOptional) return `self.${field} == oldSelf.${field}`;
  return `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`;
}

const PARTS = ['os', 'kubernetes', 'config', 'hotLayer'];
const OPTIONAL = [...PARTS, 'channel'];

export const releaseRules: FleetRules = {
  '': [
    ...Object.keys(releaseSpec.shape)
      .filter((field) => !RECALL.includes(field))
      .map((field) => ({
        rule: unchanged(field, OPTIONAL.includes(field)),
        message: `${field} of a release cannot change: make a new release, and recall this one with blocked`,
      })),
    {
      rule: PARTS.map((part) => `has(self.${part})`).join(' || '),
      message: 'a release needs at least one of os, kubernetes, config, hotLayer',
    },
    {
      rule: '!has(self.channel) || has(self.os)',
      message: 'a channel says something of a system: a release with channel needs os',
    },
    {
      rule: "self.severity != 'Critical' || self.cves.size() > 0",
      message: 'a Critical release needs at least one CVE in cves: its lane overrules windows',
    },
    {
      rule: 'self.rebootRequired || !has(self.os)',
      message: 'a release with os needs a reboot: rebootRequired has to be true',
    },
    {
      rule: "!self.blocked || self.blockedReason != ''",
      message: 'a recall needs a reason: set blockedReason',
      fieldPath: '.blockedReason',
    },
  ],
};

export const policyRules: FleetRules = {
  '': [
    {
      rule: "!has(self.replace) || self.role == 'Worker'",
      message: 'control planes are members of etcd and are not replaced: replace is for workers',
      fieldPath: '.replace',
    },
    {
      rule: "self.role != 'ControlPlane' || self.capacity.maxUnavailable == 1",
      message: 'maxUnavailable of control planes has to be 1: etcd can miss one member at a time',
      fieldPath: '.capacity.maxUnavailable',
    },
    {
      rule: "self.role != 'ControlPlane' || !self.capacity.allowSingleNode || self.capacity.minAvailable == 0",
      message: 'a single control plane that may go away cannot have a minAvailable',
    },
  ],
  nodeSelector: [
    {
      rule: 'self.matchLabels.size() > 0 || self.matchExpressions.size() > 0',
      message: 'an empty selector takes no node: name at least one label',
    },
  ],
  'nodeSelector.matchExpressions[]': [
    {
      rule: "self.operator in ['In', 'NotIn'] ? self.values.size() > 0 : self.values.size() == 0",
      message: 'In and NotIn need values; Exists and DoesNotExist have none',
    },
  ],
  'waves[]': [
    {
      rule: 'has(self.perClass) != has(self.upTo)',
      message: 'a wave has either perClass (canaries of each hardware class) or upTo',
    },
  ],
  'drain.retryBackoff': [
    {
      rule: 'duration(self.initial) <= duration(self.max)',
      message: 'initial of retryBackoff is longer than max',
    },
  ],
};

export const windowRules: FleetRules = {
  '': [
    {
      rule: "self.kind == 'Deny' || !self.hardDeny",
      message: 'hardDeny belongs to windows of kind Deny',
    },
    {
      rule: "duration(self.duration) > duration('0s') && duration(self.duration) <= duration('744h')",
      message: 'a window lasts more than nothing and at most 31 days (744h)',
    },
    { rule: 'self.lanes.size() > 0', message: 'a window needs at least one lane' },
  ],
};

export const gateRules: FleetRules = {
  '': [
    {
      rule: '[has(self.cel), has(self.promql), has(self.http), has(self.job)].filter(given, given).size() == 1',
      message: 'a gate has exactly one of cel, promql, http, job',
    },
    {
      rule: '!has(self.promql) || has(self.promql.below) || has(self.promql.above)',
      message: 'promql needs a threshold: below, above, or both',
    },
    {
      rule: "!has(self.cel) || self.cel.resource != 'secrets'",
      message: 'a gate does not look at Secrets: what it says of them is read by everyone who reads rollouts',
    },
    {
      rule: "!has(self.job) || (duration(self.job.every) >= duration('1m') && duration(self.job.timeout) >= duration('1s') && duration(self.job.timeout) <= duration(self.job.every))",
      message: 'a Job is run every minute at most, and its timeout is not longer than every',
    },
  ],
};

export const rolloutRules: FleetRules = {
  '': [
    {
      rule: 'self.release == oldSelf.release',
      message: 'release of a rollout cannot change: change the policy',
    },
    { rule: 'self.policy == oldSelf.policy', message: 'policy of a rollout cannot change' },
    {
      rule: "oldSelf.abort == 'None' || self.abort == oldSelf.abort",
      message: 'an abort is not taken back: change the release of the policy for a new rollout',
    },
    { rule: 'self.promotedWave >= oldSelf.promotedWave', message: 'a wave that was promoted stays so' },
    {
      rule: "oldSelf.lane != 'Critical' || self.lane == 'Critical'",
      message: 'a rollout does not leave the lane Critical',
    },
  ],
};

export const nodeUpdateRules: FleetRules = {
  '': [
    {
      rule: 'self.nodeUid == oldSelf.nodeUid',
      message: 'nodeUid cannot change: another node is another NodeUpdate',
    },
    {
      rule: '!has(self.authorization) || self.authorization.nodeUid == self.nodeUid',
      message: 'an authorization is for the node of its NodeUpdate',
    },
  ],
};
