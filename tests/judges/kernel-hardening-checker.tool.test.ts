import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { collectFacts, fakeSys } from '@plinth/agent/testing';
import { FactState } from '@plinth/api';
import { fetchPackages, findMirrors, readFromDeb, readLock } from '@plinth/debian';
import { kernelArguments, loadOsSpec } from '@plinth/image';
import { type ClaimResult, evaluateProfile, type Fact, factNames, loadProfiles } from '@plinth/posture';
import { openToolbox } from '@plinth/toolbox';
import { imageSysctls } from '../testkit/image-sysctls.ts';

// kernel-hardening-checker itself, and our profile with the facts as plinthd tells them, judge the same kernel: the one in the
// lock, with the command line and the settings of the image.

interface Row {
  readonly option_name: string;
  readonly type: 'kconfig' | 'cmdline' | 'sysctl';
  readonly check_result: string;
  readonly check_result_bool: boolean;
}

const osDir = fileURLToPath(new URL('../../os/', import.meta.url));
const WEAKNESSES = '/sys/devices/system/cpu/vulnerabilities';
const CONFIG_LIMIT_BYTES = 1024 * 1024;

suite('kernel-hardening-checker and the profile kernel-hardening', () => {
  let rows: ReadonlyMap<string, Row>;
  let claims: ReadonlyMap<string, ClaimResult>;

  before(async () => {
    const config = await kernelConfig();
    const { os } = await loadOsSpec(osDir);
    const commandLine = kernelArguments(os).join(' ');
    const sysctls = await imageSysctls(osDir);
    rows = await askChecker(config, commandLine, sysctls);
    claims = await judge(config, commandLine, sysctls);
  });

  test('ask the same', () => {
    const asked = [...rows.keys()].filter((id) => !claims.has(id));
    // What it asks of other versions of the kernel holds for this one whatever its configuration.
    for (const id of asked) assert.match(rows.get(id)?.check_result ?? '', /^OK: version/, id);
    assert.deepEqual(
      [...claims.keys()].filter((id) => !rows.has(id)),
      [],
    );
    assert.ok(rows.size > 300);
  });

  test('find the same of the kernel of the image', () => {
    const differing = [...claims].flatMap(([id, { verdict, found }]) => {
      const row = rows.get(id);
      return row && row.check_result_bool !== (verdict === 'pass')
        ? [`${id}: it says "${row.check_result}", we say ${verdict}: ${found}`]
        : [];
    });
    assert.deepEqual(differing, []);
  });

  test('leave nothing that fails without a reason', () => {
    // Whether an exception holds may hang on what only a running node tells: that is unknown here.
    const failing = [...claims.values()].filter(({ verdict }) => verdict === 'fail');
    assert.deepEqual(
      failing.map(({ id, found }) => `${id}: ${found}`),
      [],
    );
  });
});

/** The configuration of the kernel that the lock pins, out of its package. */
async function kernelConfig(): Promise<string> {
  const lock = await readLock(join(osDir, 'plinth.lock.json'));
  const kernel = lock.packages.filter(({ name }) => /^linux-image-\d/.test(name));
  const debs = await fetchPackages(kernel, { mirrors: await findMirrors() });
  const [path = ''] = debs.values();
  const [file] = await readFromDeb(path, (each) => each.startsWith('boot/config-'), {
    limitBytes: CONFIG_LIMIT_BYTES,
  });
  assert.ok(file, 'the package holds the configuration');
  return file.bytes.toString('utf8');
}

async function askChecker(
  config: string,
  commandLine: string,
  sysctls: ReadonlyMap<string, string>,
): Promise<Map<string, Row>> {
  const judges = await openToolbox({ name: 'judges' });
  const dir = await mkdtemp(join(tmpdir(), 'plinth-judges-'));
  try {
    await writeFile(join(dir, 'config'), config);
    await writeFile(join(dir, 'cmdline'), `${commandLine}\n`);
    await writeFile(join(dir, 'sysctls'), [...sysctls].map(([key, value]) => `${key} = ${value}\n`).join(''));
    const binds = [{ host: dir, inside: '/mnt/kernel', readOnly: true }];
    const args = [
      '-c',
      '/mnt/kernel/config',
      '-l',
      '/mnt/kernel/cmdline',
      '-s',
      '/mnt/kernel/sysctls',
      '-m',
      'json',
    ];
    const { stdout } = await judges.run('kernel-hardening-checker', args, { binds });
    const told = JSON.parse(stdout.toString()) as readonly Row[];
    return numbered(told);
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** By type and name; what is asked several times of one option is told apart by a number. */
function numbered(told: readonly Row[]): Map<string, Row> {
  const found = new Map<string, Row>();
  for (const row of told) {
    const id = `${row.type}/${row.option_name.replace(/^CONFIG_/, '')}`;
    let name = id;
    for (let number = 2; found.has(name); number++) name = `${id}.${number}`;
    found.set(name, row);
  }
  return found;
}

/** Our verdicts, by facts that plinthd's own readers take from these files. */
async function judge(
  config: string,
  commandLine: string,
  sysctls: ReadonlyMap<string, string>,
): Promise<Map<string, ClaimResult>> {
  const profile = (await loadProfiles()).byId.get('kernel-hardening');
  assert.ok(profile);
  const settings = [...sysctls].map(
    ([key, value]) => [`/proc/sys/${key.replaceAll('.', '/')}`, `${value}\n`] as const,
  );
  // A processor of which the kernel says that every weakness is taken care of: which one runs it is not the image's doing.
  const weaknesses = factNames([profile]).filter((name) => name.startsWith('cpu/'));
  const processor = weaknesses.map(
    (name) => [`${WEAKNESSES}/${name.slice('cpu/'.length)}`, 'Not affected\n'] as const,
  );
  const sys = fakeSys({
    files: {
      ...Object.fromEntries(processor),
      '/proc/sys/kernel/osrelease': 'one\n',
      '/usr/lib/modules/one/config': config,
      '/proc/cmdline': `${commandLine}\n`,
      ...Object.fromEntries(settings),
    },
  });
  const told = await collectFacts(sys, factNames([profile]), {
    role: async () => undefined,
    admission: async () => assert.fail('a kernel is in no cluster'),
  });
  const facts = told.map(({ name, state, value = '', source = '', reason = '' }): [string, Fact] => {
    if (state === FactState.PRESENT) return [name, { state: 'present', value, source }];
    return [
      name,
      state === FactState.ABSENT ? { state: 'absent', source } : { state: 'unknown', source, reason },
    ];
  });
  return new Map(evaluateProfile(profile, new Map(facts)).map((result) => [result.id, result]));
}
