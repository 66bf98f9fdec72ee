import type { CheckSpec } from './checks/check.ts';
import { configCheck, hostNameCheck, identityCheck } from './checks/own-checks.ts';
import { type FoundConfig, findConfig, keepConfig } from './config/find-config.ts';
import type { NodeConsole } from './console.ts';
import { collectHealth } from './health/collect-health.ts';
import { type NetworkProbe, networkProbe } from './health/network-probe.ts';
import { openIdentity } from './identity/open-identity.ts';
import { collectIntegrity } from './integrity/collect-integrity.ts';
import type { PathRule } from './integrity/path-table.ts';
import { serveKubernetes } from './kubernetes/serve-kubernetes.ts';
import { serveMachine } from './machine/serve-machine.ts';
import { type NetworkFiles, openNetwork } from './network/apply-network.ts';
import { pause } from './repeat.ts';
import { collectVersions } from './reports/versions.ts';
import type { AuditSink } from './server/audit.ts';
import { nodeService } from './server/node-service.ts';
import { type Listener, serve } from './server/serve.ts';
import { onlyOnce, singleFlight } from './shared-run.ts';
import type { StateStore } from './sys/state-store.ts';
import { errorCode, type Sys } from './sys/sys.ts';
import { tunnelService } from './tunnel/tunnel-service.ts';
import { openWatch } from './watch.ts';

/** What plinthd is made of; main.ts gives the real parts, tests give their own. */
export interface AgentParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly console: NodeConsole;
  readonly audit: AuditSink;
  readonly version: string;
  readonly pathRules: readonly PathRule[];
  readonly networkFiles: NetworkFiles;
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
  readonly signal: AbortSignal;
}

/**
 * runAgent is plinthd: it waits for a valid machine config, then serves the API until `signal` aborts. A missing or
 * wrong config is said on the console and never ends it. Throws when the API port cannot be listened on.
 */
export async function runAgent(parts: AgentParts): Promise<void> {
  const { console, signal, version } = parts;
  console.say(`plinthd ${version} starts on ${parts.sys.hostName()}`);
  const found = await waitForConfig(parts);
  if (!found) return;
  const network = openNetwork(parts.sys, parts.networkFiles, found.config);
  await network.settle();
  const { listener, watch } = await open(parts, found, network.check);
  try {
    await parts.ready(`API on port ${listener.port}`);
    let waitMs = parts.retryMs;
    while (!signal.aborted) {
      await network.settle();
      await watch();
      await pause(waitMs, signal, true);
      waitMs = Math.min(waitMs * 2, parts.watchMs);
    }
  } finally {
    await listener.close();
  }
}

/** Looks for a config until there is a valid one; says what is wrong once per change. Undefined when aborted. */
async function waitForConfig(parts: AgentParts): Promise<(FoundConfig & { ok: true }) | undefined> {
  const { sys, store, console, signal } = parts;
  let said = '';
  while (!signal.aborted) {
    const found = await findConfig(sys, store).catch(
      (reason: unknown): FoundConfig => ({
        ok: false,
        code: 'agent/config-missing',
        problems: [`Cannot read the machine config: ${errorCode(reason) || reason}`],
      }),
    );
    if (found.ok) return found;
    const problems = found.problems.join('\n');
    if (problems !== said) {
      for (const problem of found.problems) console.say(`maintenance: ${problem} [${found.code}]`);
      if (said === '') await parts.ready('maintenance: no valid machine config');
      said = problems;
    }
    await pause(parts.retryMs, signal, true);
  }
  return undefined;
}

async function open(
  parts: AgentParts,
  found: FoundConfig & { ok: true },
  networkCheck: CheckSpec,
): Promise<{ listener: Listener; watch: () => Promise<void> }> {
  const { sys, store, console, audit, pathRules, probes, version } = parts;
  const unkept = await keepConfig(store, found).then(
    () => undefined,
    (reason: unknown) => `the config cannot be stored: ${errorCode(reason) || reason}`,
  );
  const { name } = found.config.machine;
  await parts.setHostName(name).catch(() => {}); // the check "host-name" shows the name the machine has
  const identity = await openIdentity(store, name);
  const own = [
    configCheck(found.source, unkept),
    hostNameCheck(name),
    identityCheck(identity.concern),
    networkCheck,
  ];
  const { signal } = parts;
  const { nodeId } = identity;
  const kubernetes = await serveKubernetes({ sys, store, console, nodeName: name, nodeId, signal });
  const nameServers = found.config.network?.interfaces.flatMap(({ dns }) => dns);
  const probe = parts.probe ?? networkProbe({ known: nameServers });
  const health = singleFlight(async () =>
    collectHealth(sys, [...own, ...kubernetes.checks], await kubernetes.cluster(), probe),
  );
  const machine = await serveMachine({
    ...{ sys, store, console, nodeName: name, configSource: found.source, signal, duty: kubernetes.duty },
    isHealthy: async () => (await health()).state !== 'unhealthy',
    otherAct: async () => undefined,
  });
  const integrity = singleFlight(() => collectIntegrity(sys, pathRules, probes));
  const versions = onlyOnce(() => collectVersions(sys));
  const node = nodeService({
    sys,
    identity,
    configSource: found.source,
    agentVersion: version,
    versions,
    integrity,
    health,
    bootEnd: machine.bootEnd,
  });
  const listener = await serve({
    port: parts.port,
    bindAddress: parts.bindAddress,
    certificatePem: identity.certificatePem,
    privateKeyPem: identity.privateKeyPem,
    clientAuthoritiesPem: found.config.api.clientAuthorities,
    audit,
    nowMs: sys.nowMs,
    routes: (router) => {
      node(router);
      kubernetes.routes(router);
      machine.routes(router);
      tunnelService({ peers: kubernetes.peers, nodeName: name })(router);
    },
  });
  console.say(`node ${name}, id ${identity.nodeId}, config from ${found.source}`);
  console.say(`api ready port=${listener.port} fingerprint=${identity.fingerprint}`);
  return { listener, watch: openWatch(sys, console, health, integrity) };
}
