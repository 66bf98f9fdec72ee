// What judges of others find in the root of a release: node bench/judges.ts --release DIR
// Lynis and OpenSCAP are made for systems that have a shell, and are run beside the unpacked root. Their findings, and what
// was done about them: docs/explanation/posture.md.
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { removeTree } from '@plinth/host';
import { openToolbox, type Toolbox } from '@plinth/toolbox';

const SCAP_CONTENT = '/usr/share/xml/scap/ssg/content/ssg-debian12-ds.xml';
const SCAP_PROFILE = 'xccdf_org.ssgproject.content_profile_anssi_bp28_high';
const TIMEOUT_MS = 900_000;
/** Judges tell by it that they found something. */
const ANY_CODE = Array.from({ length: 256 }, (_, code) => code);

const { values: options } = parseArgs({ options: { release: { type: 'string' } } });
if (options.release === undefined) throw new Error('Cannot judge: expected --release DIR of "plinth build"');
const scratch = await mkdtemp(join(tmpdir(), 'plinth-judges-'));
try {
  const root = await unpackRoot(resolve(options.release), scratch);
  const judges = await openToolbox({ name: 'judges' });
  await reportLynis(judges, root, scratch);
  await reportScap(judges, root, scratch);
} finally {
  await removeTree(scratch);
}

async function unpackRoot(release: string, work: string): Promise<string> {
  const name = (await readdir(release)).find((each) => /\.root\.[0-9a-f-]+\.raw$/.test(each));
  if (name === undefined)
    throw new Error(`Cannot judge ${release}: it has no root, expected a release of "plinth build"`);
  const toolbox = await openToolbox();
  const binds = [
    { host: release, inside: '/mnt/release', readOnly: true },
    { host: work, inside: '/mnt/work' },
  ];
  await toolbox.run('fsck.erofs', ['--extract=/mnt/work/root', '--overwrite', `/mnt/release/${name}`], {
    binds,
  });
  return join(work, 'root');
}

/** Lynis' own report: warnings, suggestions, tests that ran. */
async function reportLynis(judges: Toolbox, root: string, work: string): Promise<void> {
  // Debian makes the name "awk" when it installs gawk, which a toolbox does not do.
  const names = join(work, 'names');
  await mkdir(names);
  await symlink('/usr/bin/gawk', join(names, 'awk'));
  const binds = [
    { host: root, inside: '/mnt/root', readOnly: true },
    { host: work, inside: '/mnt/work' },
  ];
  const args = ['audit', 'system', '--quick', '--no-colors', '--quiet', '--rootdir', '/mnt/root/'];
  const files = ['--report-file', '/mnt/work/lynis.dat', '--log-file', '/mnt/work/lynis.log'];
  const env = { PATH: '/mnt/work/names:/usr/sbin:/usr/bin' };
  // Its exit code says whether it warned.
  const { exitCode } = await judges.run('lynis', [...args, ...files], {
    binds,
    env,
    timeoutMs: TIMEOUT_MS,
    okCodes: ANY_CODE,
  });
  const report = await readFile(join(work, 'lynis.dat'), 'utf8');
  console.log(`Lynis ended with ${exitCode}`);
  for (const line of report.split('\n'))
    if (/^(?:warning|suggestion)\[\]|^hardening_index|^lynis_tests_done/.test(line)) console.log(line);
}

/** Rules of the SCAP Security Guide that fail, that could not be judged, and counts. */
async function reportScap(judges: Toolbox, root: string, work: string): Promise<void> {
  const binds = [
    { host: root, inside: '/mnt/root', readOnly: true },
    { host: work, inside: '/mnt/work' },
  ];
  // Its rules are for Debian 12 and are passed over anywhere else; this root is told to be one, for that look alone.
  await writeFile(join(root, 'etc/debian_version'), '12.13\n');
  await rm(join(root, 'etc/os-release'), { force: true });
  await writeFile(join(root, 'etc/os-release'), 'ID=debian\nVERSION_ID="12"\n');
  const args = ['xccdf', 'eval', '--profile', SCAP_PROFILE, '--results', '/mnt/work/scap.xml', SCAP_CONTENT];
  const env = { OSCAP_PROBE_ROOT: '/mnt/root' };
  const { exitCode, stdout } = await judges.run('oscap', args, {
    binds,
    env,
    timeoutMs: TIMEOUT_MS,
    okCodes: ANY_CODE,
  });
  console.log(`OpenSCAP ended with ${exitCode}`);
  const results = [...stdout.toString().matchAll(/^Rule\s+\S+_rule_(\S+)\nResult\s+(\S+)$/gm)];
  for (const [verdict, rules] of Map.groupBy(results, ([, , result = '']) => result))
    console.log(`${verdict} ${rules.length}: ${rules.map(([, rule]) => rule).join(' ')}`);
}
