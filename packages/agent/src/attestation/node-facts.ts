import { encodeText } from '@plinth/formats';
import type { Integrity } from '../integrity/collect-integrity.ts';
import { firmwareRootHash, readSystemStart } from '../reports/system-start.ts';
import { listDir, readText, type Sys } from '../sys/sys.ts';

const SELINUX = '/sys/fs/selinux/enforce';
const LOCKDOWN = '/sys/kernel/security/lockdown';
const IPE = '/sys/kernel/security/ipe';
/** Beyond it nobody reads on; an integrity check says its finding in a line. */
const OBSERVED_LIMIT = 300;

/**
 * collectNodeFacts is what the node says of itself beside its measurements, as JSON: it is bound to a quote, and worth as
 * much as the system that the quote proves.
 */
export async function collectNodeFacts(
  sys: Sys,
  nodeId: string,
  integrity: () => Promise<Integrity>,
): Promise<Uint8Array> {
  const [start, bootedRootHash, report] = [
    await readSystemStart(sys),
    await firmwareRootHash(sys),
    await integrity(),
  ];
  const facts = {
    format: 1,
    nodeId,
    bootId: start.bootId,
    softRebooted: start.soft,
    bootedRootHash,
    rootHash: report.rootHash,
    selinux: stateOf(await read(sys, SELINUX)),
    lockdown: /\[(\w+)\]/.exec((await read(sys, LOCKDOWN)) ?? '')?.[1] ?? 'unknown',
    ipe: { enforcing: stateOf(await read(sys, `${IPE}/enforce`)), policies: await ipePolicies(sys) },
    checks: report.checks.map(({ id, verdict, observed }) => ({
      ...{ id, verdict },
      observed: observed.slice(0, OBSERVED_LIMIT),
    })),
  };
  return encodeText(JSON.stringify(facts));
}

/** "1" and "0" of the kernel as words. */
function stateOf(text: string | undefined): 'on' | 'off' | 'unknown' {
  if (text === '1') return 'on';
  return text === '0' ? 'off' : 'unknown';
}

async function ipePolicies(sys: Sys): Promise<{ name: string; version: string; active: string }[]> {
  const policies: { name: string; version: string; active: string }[] = [];
  for (const folder of await listDir(sys, `${IPE}/policies`).catch(() => [])) {
    const fact = async (file: string) => (await read(sys, `${IPE}/policies/${folder}/${file}`)) ?? 'unknown';
    policies.push({ name: await fact('name'), version: await fact('version'), active: await fact('active') });
  }
  return policies;
}

/** What cannot be read is not known; the verdict is not made here. */
function read(sys: Sys, path: string): Promise<string | undefined> {
  return readText(sys, path).catch(() => undefined);
}
