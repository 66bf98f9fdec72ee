import { writeFile } from 'node:fs/promises';
import { nodeApiPort } from '@plinth/api';
import { messageOf } from '@plinth/base';
import { runAgent } from './agent.ts';
import { readBuildInfo } from './build-info.ts';
import { machineFiles } from './config/transaction/machine-files.ts';
import { deviceConsole } from './console.ts';
import { probeChecks } from './integrity/probes.ts';
import { notifyReady } from './notify.ts';
import { auditLine } from './server/audit.ts';
import { nodeSys } from './sys/node-sys.ts';
import { openStateStore } from './sys/state-store.ts';

const CONSOLE = '/dev/console';
const STATE_DIRECTORY = '/var/lib/plinth';
const RETRY_MS = 5_000;
const WATCH_MS = 60_000;
const CONFIG_TICK_MS = 1_000;

/** plinthd takes no arguments and obeys one environment variable, NOTIFY_SOCKET, which systemd sets for it. */
async function main(): Promise<void> {
  const { version, pathTable } = readBuildInfo();
  const console = deviceConsole(CONSOLE);
  const sys = nodeSys();
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
  try {
    await runAgent({
      sys,
      store: await openStateStore(sys, STATE_DIRECTORY),
      console,
      audit: (record) => process.stdout.write(`${auditLine(record)}\n`),
      version,
      pathRules: pathTable.paths,
      configFiles: machineFiles(),
      probes: probeChecks(STATE_DIRECTORY),
      port: nodeApiPort,
      setHostName: (name) => writeFile('/proc/sys/kernel/hostname', name),
      // A word that does not arrive is systemd's to act on; the API may still be of use until then.
      ready: (status) =>
        notifyReady(process.env['NOTIFY_SOCKET'], status).catch((reason: unknown) =>
          console.say(`degraded: notify: ${reason instanceof Error ? reason.message : reason}`),
        ),
      retryMs: RETRY_MS,
      watchMs: WATCH_MS,
      configTickMs: CONFIG_TICK_MS,
      signal: stopping.signal,
    });
  } catch (reason) {
    const text = messageOf(reason);
    console.say(`plinthd ends: ${text}`);
    process.stderr.write(`${reason instanceof Error ? reason.stack : text}\n`);
    process.exitCode = 1;
  }
}

void main();
