import { type CheckResult, type CheckSpec, pass, passIf } from './checks/check.ts';
import { type FoundConfig, findConfig, keepConfig } from './config/find-config.ts';
import type { NodeConsole } from './console.ts';
import { openIdentity } from './identity/open-identity.ts';
import { collectIntegrity, type Integrity } from './integrity/collect-integrity.ts';
import type { PathRule } from './integrity/path-table.ts';
import { collectHealth, type Health } from './reports/health.ts';
import { isStarting } from './reports/system-state.ts';
import { collectVersions } from './reports/versions.ts';
import type { AuditSink } from './server/audit.ts';
import { nodeService } from './server/node-service.ts';
import { type Listener, serve } from './server/serve.ts';
import { onlyOnce, singleFlight } from './shared-run.ts';
import type { StateStore } from './sys/state-store.ts';
import { errorCode, type Sys } from './sys/sys.ts';

/** What plinthd is made of; main.ts gives the real parts, tests give their own. */
export interface AgentParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly console: NodeConsole;
  readonly audit: AuditSink;
  readonly version: string;
  readonly pathRules: readonly PathRule[];
  readonly probes: readonly CheckSpec[];
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
  const { listener, watch } = await open(parts, found);
  try {
    await parts.ready(`API on port ${listener.port}`);
    let waitMs = parts.retryMs;
    while (!signal.aborted) {
      await watch();
      await pause(waitMs, signal);
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
    await pause(parts.retryMs, signal);
  }
  return undefined;
}

async function open(
  parts: AgentParts,
  found: FoundConfig & { ok: true },
): Promise<{ listener: Listener; watch: () => Promise<void> }> {
  const { sys, store, console, audit, pathRules, probes, version } = parts;
  const unkept = await keepConfig(store, found).then(
    () => undefined,
    (reason: unknown) => `the config cannot be stored: ${errorCode(reason) || reason}`,
  );
  const { name } = found.config.metadata;
  await parts.setHostName(name).catch(() => {}); // the check "host-name" shows the name the machine has
  const identity = await openIdentity(store, name);
  const own = [configCheck(found, unkept), hostNameCheck(name), identityCheck(identity.concern)];
  const health = singleFlight(() => collectHealth(sys, own));
  const integrity = singleFlight(() => collectIntegrity(sys, pathRules, probes));
  const versions = onlyOnce(() => collectVersions(sys));
  const listener = await serve({
    port: parts.port,
    bindAddress: parts.bindAddress,
    certificatePem: identity.certificatePem,
    privateKeyPem: identity.privateKeyPem,
    clientAuthoritiesPem: found.config.api.clientAuthorities,
    audit,
    nowMs: sys.nowMs,
    routes: nodeService({
      sys,
      identity,
      configSource: found.source,
      agentVersion: version,
      versions,
      integrity,
      health,
    }),
  });
  console.say(`node ${name}, id ${identity.nodeId}, config from ${found.source}`);
  console.say(`api ready port=${listener.port} fingerprint=${identity.fingerprint}`);
  return { listener, watch: watcher(parts, health, integrity) };
}

/** One look at the node for the console, and what was seen at the looks before. */
function watcher(
  { sys, console }: AgentParts,
  health: () => Promise<Health>,
  integrity: () => Promise<Integrity>,
): () => Promise<void> {
  const report = consoleReport(console);
  let postureSeen = false;
  let addresses = '';
  return async () => {
    const now = sys.addresses().join(', ');
    if (now !== addresses) console.say(`addresses: ${now || 'none'}`);
    addresses = now;
    // Posture does not change by itself, and looking at it makes the kernel refuse things: once is enough.
    if (!postureSeen) report((await integrity()).checks);
    postureSeen = true;
    if (!(await isStarting(sys))) report((await health()).checks);
  };
}

/** Says what became bad, and what became good again; says nothing twice. */
function consoleReport(console: NodeConsole): (checks: readonly CheckResult[]) => void {
  const bad = new Map<string, string>();
  return (checks) => {
    for (const { id, verdict, observed } of checks) {
      const before = bad.get(id);
      if (verdict === 'pass') {
        if (before !== undefined) console.say(`recovered: ${id}: ${observed}`);
        bad.delete(id);
        continue;
      }
      if (before !== observed) console.say(`degraded: ${id}: ${observed}`);
      bad.set(id, observed);
    }
  };
}

function configCheck(found: FoundConfig & { ok: true }, unkept: string | undefined): CheckSpec {
  return {
    id: 'machine-config',
    expected: 'valid and kept on disk',
    source: found.source,
    fix: 'Mend /var; the config is stored at the next start.',
    observe: async () => passIf(unkept === undefined, unkept ?? `valid, from ${found.source}`),
  };
}

function hostNameCheck(name: string): CheckSpec {
  return {
    id: 'host-name',
    expected: name,
    source: 'uname',
    fix: 'Find out what else sets the host name; the machine config names the node.',
    observe: async (sys) => passIf(sys.hostName() === name, sys.hostName()),
  };
}

function identityCheck(concern: string | undefined): CheckSpec {
  return {
    id: 'identity',
    expected: 'the identity of the node survives a reboot',
    source: '/var/lib/plinth/identity',
    fix: 'Mend /var and reboot, then trust the fingerprint on the console anew.',
    observe: async () => (concern === undefined ? pass('kept on disk') : passIf(false, concern)),
  };
}

/** Waits, or ends early when aborted. The timer keeps the process alive: in maintenance nothing else does. */
function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, durationMs);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
