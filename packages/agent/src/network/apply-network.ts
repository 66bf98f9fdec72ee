import { chmod, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type MachineConfig, parseCidr, renderConfig } from '@plinth/config';
import { type CheckSpec, fail, pass } from '../checks/check.ts';
import type { Sys } from '../sys/sys.ts';

export const NETWORKCTL = '/usr/bin/networkctl';
/** Where systemd-networkd looks for the files of this machine; in memory, gone at reboot. */
export const NETWORK_FOLDER = '/etc/systemd/network';
/** Every file of ours in that folder starts with it. */
const PREFIX = '20-plinth-';

/** Hands files to systemd-networkd; tests give their own. */
export interface NetworkFiles {
  /** Makes the folder hold these files of ours and no other of ours. */
  replace(files: ReadonlyMap<string, string>): Promise<void>;
}

/** networkFiles writes into a folder that systemd-networkd, which is not root, can read. */
export function networkFiles(folder: string = NETWORK_FOLDER): NetworkFiles {
  return {
    async replace(files) {
      await mkdir(folder, { recursive: true });
      await chmod(folder, 0o755);
      const stale = (await readdir(folder)).filter((name) => name.startsWith(PREFIX) && !files.has(name));
      for (const name of stale) await rm(join(folder, name));
      for (const [name, text] of files) await replaceFile(join(folder, name), text);
    },
  };
}

/** networkd reads only names that end in ".network". The folder is in memory, so nothing has to reach a disk. */
async function replaceFile(path: string, text: string): Promise<void> {
  const work = `${path}.new`;
  const file = await open(work, 'w', 0o644);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
  // By its path: the permission model of the runtime refuses what is done by an open file (fchmod).
  await chmod(work, 0o644);
  await rename(work, path);
}

/** The network config on its way to the kernel. */
export interface NetworkSettings {
  /**
   * Brings the config into effect, once: called again, it tries again only what has not worked, as before
   * systemd-networkd answers. Never throws.
   */
  settle(): Promise<void>;
  /** Tells whether the machine has every address its config gives it. */
  readonly check: CheckSpec;
}

/** openNetwork prepares the network part of a machine config; a config without one leaves every card to DHCP. */
export function openNetwork(sys: Sys, files: NetworkFiles, config: MachineConfig): NetworkSettings {
  let done = config.network === undefined;
  let problem = '';
  return {
    async settle() {
      if (done) return;
      try {
        await files.replace(networkdFiles(config));
        const { exitCode, stderr } = await sys.run(NETWORKCTL, ['reload']);
        done = exitCode === 0;
        problem = done ? '' : `networkctl ended with ${exitCode}: ${stderr.trim()}`;
      } catch (reason) {
        problem = reason instanceof Error ? reason.message : String(reason);
      }
    },
    check: addressesCheck(config.network, () => problem),
  };
}

/** The files of the config that systemd-networkd reads, name to text. */
function networkdFiles(config: MachineConfig): ReadonlyMap<string, string> {
  const ours = renderConfig(config).filter(({ path }) => dirname(path) === NETWORK_FOLDER);
  return new Map(ours.map(({ path, text }) => [basename(path), text]));
}

function addressesCheck(config: MachineConfig['network'], problem: () => string): CheckSpec {
  const wanted = (config?.interfaces ?? []).flatMap(({ addresses }) => addresses);
  return {
    id: 'network-config',
    expected: wanted.length === 0 ? 'no fixed address' : wanted.join(', '),
    source: 'getifaddrs',
    fix: 'Compare the MAC addresses of the machine config with those of the cards; read the journal of systemd-networkd.',
    observe: async (sys) => {
      if (wanted.length === 0) return pass('no fixed address');
      const present = new Set(sys.addresses().map(canonical));
      const absent = wanted.filter((cidr) => !present.has(canonical(parseCidr(cidr)?.ip ?? cidr)));
      if (absent.length === 0) return pass('all addresses are there');
      return fail([`absent: ${absent.join(', ')}`, problem()].filter((text) => text !== '').join('; '));
    },
  };
}

/** One spelling for each address: IPv6 has many. */
function canonical(ip: string): string {
  return ip.includes(':') ? new URL(`http://[${ip}]/`).hostname : ip;
}
