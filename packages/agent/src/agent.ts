import { nameServersOf } from '@plinth/config';
import { accessRules } from './access/access-rules.ts';
import { accessService } from './access/access-service.ts';
import { openLogin } from './access/oidc/open-login.ts';
import { openAccess } from './access/open-access.ts';
import { attestationService } from './attestation/attestation-service.ts';
import { type AuditFiles, auditFolder } from './audit/audit-files.ts';
import { auditService } from './audit/audit-service.ts';
import { AUDIT_FOLDER, openNodeAudit } from './audit/open-node-audit.ts';
import { serveBootstrapContainers } from './bootstrap-containers/serve-bootstrap-containers.ts';
import { captureService } from './capture/capture-service.ts';
import type { CheckSpec } from './checks/check.ts';
import { hostNameCheck, identityCheck } from './checks/own-checks.ts';
import type { ServedConfig } from './config/serve-config.ts';
import type { MachineFiles } from './config/transaction/machine-files.ts';
import type { NodeConsole } from './console.ts';
import { containersService } from './containers/containers-service.ts';
import { openCri } from './containers/cri-client.ts';
import { actEvent } from './events/act-event.ts';
import { announce } from './events/announce.ts';
import type { EventBus } from './events/event-bus.ts';
import { openEvents } from './events/open-events.ts';
import { filesService } from './files/files-service.ts';
import { collectHealth } from './health/collect-health.ts';
import { type NetworkProbe, networkProbe } from './health/network-probe.ts';
import { serveHotLayers } from './hot-layers/serve-hot-layers.ts';
import { openIdentity } from './identity/open-identity.ts';
import { collectIntegrity } from './integrity/collect-integrity.ts';
import type { PathRule } from './integrity/path-table.ts';
import type { ActRecord } from './kubernetes/acts/act.ts';
import { serveKubernetes } from './kubernetes/serve-kubernetes.ts';
import { openLogShipping } from './log-shipping/open-log-shipping.ts';
import { logsService } from './logs/logs-service.ts';
import { systemEnd } from './machine/end-system.ts';
import { serveMachine } from './machine/serve-machine.ts';
import { trialOf } from './machine/trial-of.ts';
import { waitForConfig } from './maintenance/wait-for-config.ts';
import { postureService } from './posture/posture-service.ts';
import { pause } from './repeat.ts';
import { collectVersions } from './reports/versions.ts';
import type { AuditSink } from './server/audit.ts';
import { nodeService } from './server/node-service.ts';
import { type Listener, serve } from './server/serve.ts';
import { serveSessions } from './session/serve-session.ts';
import { onlyOnce, singleFlight } from './shared-run.ts';
import type { StateStore } from './sys/state-store.ts';
import type { Sys } from './sys/sys.ts';
import { apiCertificates } from './system/list-certificates.ts';
import { systemService } from './system/system-service.ts';
import { tunnelService } from './tunnel/tunnel-service.ts';
import { letFirstBootWait } from './update/health/first-boot.ts';
import { serveUpdates } from './update/serve-updates.ts';
import { openVarKeys } from './var-key/open-var-keys.ts';
import { varKeyService } from './var-key/var-key-service.ts';
import { openVolumes } from './volumes/open-volumes.ts';
import { openWatch } from './watch.ts';

/** What plinthd is made of; main.ts gives the real parts, tests give their own. */
export interface AgentParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly console: NodeConsole;
  readonly audit: AuditSink;
  /** Where the audit log lies; default: the node's folder. */
  readonly auditFiles?: AuditFiles;
  readonly version: string;
  readonly pathRules: readonly PathRule[];
  /** Writes what the machine config renders. */
  readonly configFiles: MachineFiles;
  readonly probes: readonly CheckSpec[];
  /** How health tries connections and names; default: for real. */
  readonly probe?: NetworkProbe;
  readonly port: number;
  readonly bindAddress?: string;
  /** Gives the machine its name. */
  setHostName(name: string): Promise<void>;
  /** Tells the service manager that plinthd is up, in maintenance too: it then has said so. */
  ready(status: string): Promise<void>;
  /** How long to wait before the config is looked for again. */
  readonly retryMs: number;
  /** How long at most between two looks at the node's health for the console; shorter at first. */
  readonly watchMs: number;
  /** Between two looks at a change of the config that has yet to prove itself. */
  readonly configTickMs: number;
  readonly signal: AbortSignal;
}

/**
 * runAgent is plinthd: it waits for a valid machine config, then serves the API until `signal` aborts, or until a change
 * of the config asks for a plinthd that starts anew. A missing or wrong config is said on the console and never ends it.
 * Throws when the API port cannot be listened on.
 */
export async function runAgent(given: AgentParts): Promise<void> {
  const again = new AbortController();
  const signal = AbortSignal.any([given.signal, again.signal]);
  const events = openEvents(given.sys, signal);
  const parts = { ...given, signal, console: announce(given.console, events) };
  const { console, version } = parts;
  console.say(`plinthd ${version} starts on ${parts.sys.hostName()}`);
  void letFirstBootWait(parts.sys);
  const config = await waitForConfig(parts, () => again.abort());
  if (!config) return;
  // Beside the API, not before it: during a boot a unit may wait for others, and the API has to answer all the same.
  const transactions = config.transaction.run(signal);
  try {
    await serveUntilAborted(parts, config, events);
  } finally {
    again.abort();
    await transactions;
  }
}

async function serveUntilAborted(parts: AgentParts, config: ServedConfig, events: EventBus): Promise<void> {
  const { signal } = parts;
  const { listener, watch } = await open(parts, config, events);
  try {
    await parts.ready(`API on port ${listener.port}`);
    let waitMs = parts.retryMs;
    while (!signal.aborted) {
      await watch();
      await pause(waitMs, signal, true);
      waitMs = Math.min(waitMs * 2, parts.watchMs);
    }
  } finally {
    await listener.close();
  }
}

async function open(
  parts: AgentParts,
  served: ServedConfig,
  events: EventBus,
): Promise<{ listener: Listener; watch: () => Promise<void> }> {
  const { sys, store, console, pathRules, probes, version } = parts;
  const { config, source, transaction } = served;
  const { name } = config.machine;
  await parts.setHostName(name).catch(() => {}); // the check "host-name" shows the name the machine has
  const identity = await openIdentity(store, name);
  const { signal } = parts;
  const { nodeId } = identity;
  const audit = await openNodeAudit({
    ...{ sys, nodeName: name, nodeId, version, volatileBecause: store.volatileBecause },
    ...{ files: parts.auditFiles ?? auditFolder(AUDIT_FOLDER), folder: AUDIT_FOLDER, journal: parts.audit },
  });
  const access = await openAccess(store, config.api.clientAuthorities);
  const login = await openLogin(config.api.oidc, { nodeId, nowMs: sys.nowMs });
  const target = () => transaction.config().logShipping;
  const shipping = openLogShipping({ sys, store, console, hostName: name, target, signal });
  const bootstrap = await serveBootstrapContainers({
    ...{ sys, store, console, specs: config.bootstrapContainers, signal },
  });
  const sessions = await serveSessions({
    ...{ sys, store, console, audit: audit.log.write, signal },
    allowed: () => transaction.config().operationsSession,
  });
  const varKeys = await openVarKeys({ sys, store });
  const volumes = openVolumes({
    ...{ sys, store, console, signal, settled: () => transaction.state().work.done },
    wanted: () => transaction.config().volumes,
  });
  const own = [
    ...[hostNameCheck(name), identityCheck(identity.concern), audit.check, access.check],
    ...[...served.checks, shipping.check, ...bootstrap.checks, sessions.check, ...volumes.checks],
  ];
  const onAct = (record: ActRecord) => events.publish(actEvent(record));
  const kubernetes = await serveKubernetes({
    ...{ sys, store, console, nodeName: name, nodeId, signal, onAct, audit: audit.log.write },
    nodeLabels: () => transaction.config().kubelet?.labels ?? {},
    varKeys,
    beforeWorkloads: async () => {
      await volumes.beforeWorkloads();
      await bootstrap.beforeWorkloads();
    },
  });
  const probe = parts.probe ?? networkProbe({ known: nameServersOf(config.network) });
  const health = singleFlight(async () =>
    collectHealth(sys, [...own, ...kubernetes.checks], await kubernetes.cluster(), probe),
  );
  const integrity = singleFlight(() => collectIntegrity(sys, pathRules, probes));
  const updates = await serveUpdates({
    ...{ sys, files: store, console, nodeName: name, cluster: kubernetes.cluster, signal },
    ...{ policy: () => transaction.config().updatePolicy, health, integrity, probe },
  });
  own.push(updates.check);
  const hotLayers = await serveHotLayers({
    ...{ sys, store, console, signal, policy: () => transaction.config().updatePolicy },
    isHealthy: async () => (await health()).state !== 'unhealthy',
    slotRootHashes: async () =>
      new Set([...(await updates.describeSlots()).slots.values()].map(({ rootHash }) => rootHash)),
  });
  own.push(hotLayers.check);
  transaction.watchHealth(async () => (await health()).checks);
  const machine = await serveMachine({
    ...{ sys, store, console, nodeName: name, configSource: source, signal, duty: kubernetes.duty },
    isHealthy: async () => (await health()).state !== 'unhealthy',
    otherAct: async () => trialOf(transaction.state()),
    prepareEnd: updates.prepareEnd,
  });
  const updating = {
    ...{ machine: machine.machine, bootEnd: machine.bootEnd, endSystem: systemEnd(sys), audit: audit.sink },
    port: () => listener.port,
  };
  const versions = onlyOnce(() => collectVersions(sys));
  const node = nodeService({
    sys,
    identity,
    configSource: source,
    agentVersion: version,
    versions,
    integrity,
    health,
    bootEnd: machine.bootEnd,
    describeSlots: updates.describeSlots,
  });
  const listener: Listener = await serve({
    port: parts.port,
    bindAddress: parts.bindAddress,
    certificatePem: identity.certificatePem,
    privateKeyPem: identity.privateKeyPem,
    clientAuthoritiesPem: [...config.api.clientAuthorities, ...(login ? [login.authorityPem] : [])],
    admitsStrangers: login !== undefined,
    audit: audit.sink,
    nowMs: sys.nowMs,
    refuses: access.refuses,
    rules: accessRules(config.api.roles, name, () => transaction.config().kubelet?.labels ?? {}),
    routes: (router) => {
      node(router);
      served.routes(router);
      kubernetes.routes(router);
      machine.routes(router);
      updates.routes(updating)(router);
      hotLayers.routes(router);
      logsService({ sys, events })(router);
      containersService(openCri())(router);
      filesService()(router);
      postureService(sys, kubernetes.securityFacts)(router);
      bootstrap.routes(router);
      sessions.routes(router);
      captureService({ sys, apiPort: parts.port })(router);
      auditService(audit)(router);
      attestationService({ sys, nodeId, integrity })(router);
      varKeyService(varKeys)(router);
      accessService(access, () => listener.recheck())(router);
      login?.routes(router);
      systemService({
        sys,
        certificates: apiCertificates(identity.certificatePem, config.api.clientAuthorities),
      })(router);
      tunnelService({ peers: kubernetes.peers, nodeName: name })(router);
    },
  });
  console.say(`node ${name}, id ${identity.nodeId}, config from ${source}`);
  console.say(`api ready port=${listener.port} fingerprint=${identity.fingerprint}`);
  void updates.live(updating);
  void hotLayers.live();
  return { listener, watch: openWatch(sys, console, health, integrity, events) };
}
