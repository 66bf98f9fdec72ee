import fc from 'fast-check';

// Objects as people write them: fields left out, numbers beside percentages. And objects that break one rule each.

const digest = fc.constantFrom('a'.repeat(64), '0123456789abcdef'.repeat(4));
const name = fc.constantFrom('one', 'two-three', 'n1.example');
const share = fc.oneof(fc.integer({ min: 0, max: 500 }), fc.constantFrom('0%', '7%', '100%'));
const time = fc.constantFrom('0s', '90s', '30m', '1h30m');
const lane = fc.constantFrom('Standard', 'High', 'Critical');
/** An object whose fields are there or not. */
const partly = (fields: Record<string, fc.Arbitrary<unknown>>) => fc.record(fields, { requiredKeys: [] });

const release = fc.record(
  {
    os: fc.record({ version: name, rootHash: digest }),
    kubernetes: fc.record({ version: name, layerDigest: digest }),
    hotLayer: fc.record({ serial: fc.integer({ min: 1, max: 99 }), rootHash: digest }),
    config: fc.record({ configMap: fc.record({ namespace: name, name, key: name }), digest }),
    channel: fc.record(
      { repository: fc.constant('https://updates.example/plinth'), name: fc.constantFrom('stable', 'edge') },
      { requiredKeys: ['repository'] },
    ),
    severity: lane,
    cves: fc.constant(['CVE-2026-12345']),
    upgradeFrom: fc.array(fc.constantFrom('>=1.7.0', '>=1.8.0'), { maxLength: 2 }),
  },
  { requiredKeys: ['os', 'cves'] },
);

const policy = fc.record(
  {
    nodeSelector: fc.constantFrom<object>(
      { matchLabels: { pool: 'a' } },
      { matchExpressions: [{ key: 'pool', operator: 'In', values: ['a', 'b'] }] },
      { matchExpressions: [{ key: 'pool', operator: 'Exists' }] },
    ),
    release: name,
    priority: fc.integer({ min: 0, max: 10_000 }),
    capacity: partly({
      ...{ maxUnavailable: share, minAvailable: share, lostAfter: time, allowSingleNode: fc.boolean() },
      headroom: partly({ enabled: fc.boolean(), reserve: share }),
    }),
    topology: partly({ key: name, domainsInFlight: fc.integer({ min: 1, max: 5 }) }),
    waves: fc.constantFrom([{ perClass: 1 }, { upTo: '100%', soak: '5m' }], [{ name: 'all', upTo: 3 }]),
    ramp: partly({ factor: fc.constantFrom(1, 1.5, 3), onFailure: fc.constantFrom(0, 0.25) }),
    pace: partly({
      mode: fc.constantFrom('Gentle', 'Fastest'),
      deadlineHours: partly({ High: fc.constant(3) }),
    }),
    churn: partly({ maxEvictionsPerSecond: fc.constantFrom(0.5, 20), maxStaging: share }),
    drain: partly({
      timeout: time,
      onTimeout: fc.constantFrom('Hold', 'Escalate'),
      escalation: partly({ deleteAfter: time }),
    }),
    timeouts: partly({ reboot: time, hook: time }),
    failureBudget: partly({ canary: fc.integer({ min: 0, max: 9 }), rollbackWave: fc.boolean() }),
    hooks: partly({ before: fc.constant(['example.org/ready']) }),
    windows: fc.constant(['weeknights']),
    replace: fc.record(
      { provider: fc.constant('ClusterAPI'), timeout: time },
      { requiredKeys: ['provider'] },
    ),
    paused: fc.boolean(),
  },
  { requiredKeys: ['nodeSelector'] },
);

/** Specs of each kind that an API server has to take. */
export const samples: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  PlinthRelease: release,
  UpdatePolicy: policy,
  MaintenanceWindow: fc.record(
    {
      kind: fc.constantFrom('Allow', 'Deny'),
      schedule: fc.constantFrom('0 22 * * 1-5', '30 1 1 */2 *'),
      duration: fc.constantFrom('30m', '1h30m', '744h'),
      timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
      lanes: fc.uniqueArray(lane, { minLength: 1, maxLength: 3 }),
      drainCutoff: time,
    },
    { requiredKeys: ['kind', 'schedule', 'duration'] },
  ),
  HealthGate: fc.oneof(
    fc.record({ http: fc.record({ url: fc.constant('https://shop.example/ready') }), failFor: time }),
    fc.record({
      cel: fc.record(
        {
          apiVersion: fc.constantFrom('v1', 'apps/v1'),
          resource: fc.constant('deployments'),
          ...{ namespace: name, name, expression: fc.constant('true') },
        },
        { requiredKeys: ['resource', 'name', 'expression'] },
      ),
    }),
    fc.record({
      promql: fc.record({
        url: fc.constant('https://p.example'),
        query: fc.constant('up'),
        above: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    }),
    fc.record({
      job: fc.record(
        { configMap: name, every: fc.constantFrom('5m', '1h') },
        { requiredKeys: ['configMap'] },
      ),
      scope: fc.constantFrom('Node', 'Always'),
    }),
  ),
  Rollout: fc.record(
    {
      release: name,
      policy: name,
      lane,
      paused: fc.boolean(),
      abort: fc.constantFrom('None', 'Stop'),
      halt: name,
    },
    { requiredKeys: ['release', 'policy', 'lane'] },
  ),
  CapacityLedger: fc.constant({}),
  NodeUpdate: fc.record(
    {
      nodeUid: fc.constant('uid-1'),
      policy: name,
      target: fc.record(
        {
          release: name,
          rollout: name,
          lane,
          osVersion: name,
          osRootHash: digest,
          rebootRequired: fc.boolean(),
        },
        { requiredKeys: ['release', 'rollout', 'lane'] },
      ),
      authorization: fc.record({
        ...{ nodeUid: fc.constant('uid-1'), bootId: name, rootHash: digest, nonce: name },
        ...{ direction: fc.constantFrom('Forward', 'Back'), notAfter: fc.constant('2026-11-22T00:00:00Z') },
      }),
    },
    { requiredKeys: ['nodeUid', 'policy'] },
  ),
};

const os = { version: '1.9.0', rootHash: 'a'.repeat(64) };
const nodeSelector = { matchLabels: { pool: 'a' } };
const rollout = { release: 'r', policy: 'p', lane: 'Standard' };
const open = { kind: 'Allow', schedule: '0 22 * * *', duration: '1h' };

/** What each rule refuses: a new object, or the change `change` of `first`, and the words it says. */
export const refused: readonly {
  readonly what: string;
  readonly kind: string;
  readonly first: object;
  readonly change?: object;
  readonly message: string;
}[] = [
  { what: 'a release without parts', kind: 'PlinthRelease', first: {}, message: 'at least one of os' },
  {
    ...{ what: 'a channel without a system', kind: 'PlinthRelease' },
    first: {
      hotLayer: { serial: 1, rootHash: 'b'.repeat(64) },
      channel: { repository: 'https://updates.example' },
    },
    message: 'a release with channel needs os',
  },
  {
    ...{ what: 'another channel', kind: 'PlinthRelease', first: { os } },
    ...{
      change: { channel: { repository: 'https://updates.example' } },
      message: 'channel of a release cannot change',
    },
  },
  {
    ...{ what: 'Critical without a CVE', kind: 'PlinthRelease', first: { os, severity: 'Critical' } },
    message: 'needs at least one CVE',
  },
  {
    ...{ what: 'a system without a reboot', kind: 'PlinthRelease', first: { os, rebootRequired: false } },
    message: 'rebootRequired has to be true',
  },
  {
    ...{ what: 'a recall without a reason', kind: 'PlinthRelease', first: { os }, change: { blocked: true } },
    message: 'set blockedReason',
  },
  {
    ...{ what: 'another system under the same name', kind: 'PlinthRelease' },
    ...{ first: { os }, change: { os: { version: '1.9.1' } }, message: 'os of a release cannot change' },
  },
  {
    ...{ what: 'a part that is added', kind: 'PlinthRelease', first: { os } },
    ...{
      change: { hotLayer: { serial: 1, rootHash: 'b'.repeat(64) } },
      message: 'hotLayer of a release cannot change',
    },
  },
  {
    ...{ what: 'a severity that falls', kind: 'PlinthRelease', first: { os, severity: 'High' } },
    ...{ change: { severity: 'Standard' }, message: 'severity of a release cannot change' },
  },
  {
    ...{ what: 'control planes with the default bound', kind: 'UpdatePolicy' },
    ...{ first: { nodeSelector, role: 'ControlPlane' }, message: 'has to be 1' },
  },
  {
    ...{ what: 'control planes two at a time', kind: 'UpdatePolicy' },
    ...{
      first: { nodeSelector, role: 'ControlPlane', capacity: { maxUnavailable: 2 } },
      message: 'has to be 1',
    },
  },
  { what: 'an empty selector', kind: 'UpdatePolicy', first: { nodeSelector: {} }, message: 'takes no node' },
  {
    ...{ what: 'In without values', kind: 'UpdatePolicy', message: 'In and NotIn need values' },
    first: { nodeSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
  },
  {
    ...{ what: 'a wave with two ends', kind: 'UpdatePolicy', message: 'either perClass' },
    first: { nodeSelector, waves: [{ perClass: 1, upTo: '5%' }] },
  },
  {
    ...{ what: 'a share of 101 %', kind: 'UpdatePolicy', message: 'maxUnavailable' },
    first: { nodeSelector, capacity: { maxUnavailable: '101%' } },
  },
  {
    ...{ what: 'a pause that shrinks', kind: 'UpdatePolicy', message: 'longer than max' },
    first: { nodeSelector, drain: { retryBackoff: { initial: '2h', max: '1h' } } },
  },
  {
    ...{ what: 'a hard Allow', kind: 'MaintenanceWindow', first: { ...open, hardDeny: true } },
    message: 'hardDeny belongs to windows of kind Deny',
  },
  {
    ...{ what: 'a window of no time', kind: 'MaintenanceWindow', first: { ...open, duration: '0s' } },
    message: 'more than nothing',
  },
  {
    ...{ what: 'a window for no lane', kind: 'MaintenanceWindow', first: { ...open, lanes: [] } },
    message: 'at least one lane',
  },
  { what: 'a gate of no kind', kind: 'HealthGate', first: { scope: 'Wave' }, message: 'exactly one of' },
  {
    ...{ what: 'a gate of two kinds', kind: 'HealthGate', message: 'exactly one of' },
    first: { http: { url: 'https://a.example' }, job: { configMap: 'b' } },
  },
  {
    ...{ what: 'a gate over a Secret', kind: 'HealthGate', message: 'does not look at Secrets' },
    first: { cel: { resource: 'secrets', namespace: 'a', name: 'b', expression: 'true' } },
  },
  {
    ...{ what: 'a Job that may last longer than until the next', kind: 'HealthGate' },
    ...{ first: { job: { configMap: 'b', every: '5m', timeout: '6m' } }, message: 'not longer than every' },
  },
  {
    ...{ what: 'a query without a threshold', kind: 'HealthGate', message: 'needs a threshold' },
    first: { promql: { url: 'https://a.example', query: 'up' } },
  },
  {
    ...{ what: 'a rollout of another release', kind: 'Rollout', first: rollout, change: { release: 's' } },
    message: 'release of a rollout cannot change',
  },
  {
    ...{ what: 'a rollout of another policy', kind: 'Rollout', first: rollout, change: { policy: 's' } },
    message: 'policy of a rollout cannot change',
  },
  {
    ...{ what: 'an abort that is taken back', kind: 'Rollout', first: { ...rollout, abort: 'Rollback' } },
    ...{ change: { abort: 'None' }, message: 'not taken back' },
  },
  {
    ...{ what: 'a promotion that is taken back', kind: 'Rollout', first: { ...rollout, promotedWave: 2 } },
    ...{ change: { promotedWave: 1 }, message: 'was promoted' },
  },
  {
    ...{
      what: 'a Critical rollout made a Standard one',
      kind: 'Rollout',
      first: { ...rollout, lane: 'Critical' },
    },
    ...{ change: { lane: 'High' }, message: 'does not leave the lane Critical' },
  },
  {
    ...{ what: 'a NodeUpdate for another node', kind: 'NodeUpdate', first: { nodeUid: 'u', policy: 'p' } },
    ...{ change: { nodeUid: 'v' }, message: 'nodeUid cannot change' },
  },
  {
    ...{
      what: 'an authorization for another node',
      kind: 'NodeUpdate',
      message: 'for the node of its NodeUpdate',
    },
    first: {
      ...{ nodeUid: 'u', policy: 'p' },
      authorization: {
        ...{ nodeUid: 'v', bootId: 'b', rootHash: 'a'.repeat(64), direction: 'Forward', nonce: 'n' },
        notAfter: '2026-11-22T00:00:00Z',
      },
    },
  },
];
