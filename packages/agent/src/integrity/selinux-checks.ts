import { type CheckSpec, fail, pass, unknown } from '../checks/check.ts';
import { hasCode, listDir, readText, type Sys } from '../sys/sys.ts';

const PROC = '/proc';
/**
 * Nobody's domains: what runs in one has no rules of its own (os/selinux). Not initrc_t, where PID 1 runs small programs of
 * its units, such as systemctl, for a moment.
 */
const NOBODYS = /^(kernel_t|unlabeled_t|unconfined\w*)$/;
const SHOWN = 5;

/** selinuxDomainsCheck finds processes of user space that no file label and no unit gave a domain. */
export const selinuxDomainsCheck: CheckSpec = {
  id: 'selinux-domains',
  expected: 'every process in a domain of its own',
  source: `${PROC}/PID/attr/current`,
  fix: 'Find out what started the process named here; os/selinux says which program runs in which domain.',
  async observe(sys) {
    const pids = (await listDir(sys, PROC)).filter((name) => /^\d+$/.test(name));
    const found: string[] = [];
    const seen = new Set<string>();
    for (const pid of pids) {
      const process = await readProcess(sys, pid);
      if (process === undefined) continue;
      seen.add(process.domain);
      if (NOBODYS.test(process.domain)) found.push(`${process.program} (${pid}) in ${process.domain}`);
    }
    if (seen.size === 0) return unknown('no process tells its domain');
    if (found.length === 0) return pass(`${seen.size} domains`);
    const more = found.length > SHOWN ? ` and ${found.length - SHOWN} more` : '';
    return fail(found.slice(0, SHOWN).join(', ') + more);
  },
};

/** Undefined for threads of the kernel, which have no command line, and for what has ended meanwhile. */
async function readProcess(
  sys: Pick<Sys, 'readFile'>,
  pid: string,
): Promise<{ readonly program: string; readonly domain: string } | undefined> {
  try {
    const program = (await readText(sys, `${PROC}/${pid}/cmdline`))?.split('\0')[0];
    if (!program) return undefined;
    const label = await readText(sys, `${PROC}/${pid}/attr/current`);
    // user:role:domain:level, in the kernel's words with a zero byte behind it.
    const domain = label?.replaceAll('\0', '').split(':')[2];
    return domain ? { program, domain } : undefined;
  } catch (reason) {
    // ESRCH: it ended between two reads.
    if (hasCode(reason, 'ESRCH')) return undefined;
    throw reason;
  }
}
