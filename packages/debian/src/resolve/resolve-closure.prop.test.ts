import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { exists, run } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import fc from 'fast-check';
import { indexOf, packageParagraph } from '../testing/fake-archive.ts';
import { buildCatalogue } from './catalogue.ts';
import type { PackageSet } from './package-set.ts';
import { type Closure, resolveClosure } from './resolve-closure.ts';

/** A small world: packages named p0, p1, … whose dependencies mostly exist. */
interface World {
  readonly paragraphs: readonly string[];
  readonly set: PackageSet;
}

const name = fc.integer({ min: 0, max: 11 }).map((number) => `p${number}`);
const version = fc.integer({ min: 1, max: 3 }).map(String);
const relation = fc.oneof(
  { weight: 6, arbitrary: name },
  {
    weight: 1,
    arbitrary: fc
      .tuple(name, fc.constantFrom('<<', '<=', '=', '>=', '>>'), version)
      .map(([of, operator, than]) => `${of} (${operator} ${than})`),
  },
);

function worldOf(alternatives: number): fc.Arbitrary<World> {
  const group = fc.array(relation, { minLength: 1, maxLength: alternatives }).map((list) => list.join(' | '));
  const spec = fc.record({ name, version, depends: fc.array(group, { maxLength: 2 }) });
  return fc
    .record({
      specs: fc.uniqueArray(spec, { minLength: 9, maxLength: 12, selector: (one) => one.name }),
      wantedCount: fc.integer({ min: 1, max: 3 }),
      dropped: fc.uniqueArray(name, { maxLength: 2 }),
    })
    .map(({ specs, wantedCount, dropped }) => {
      const wanted = specs.slice(0, wantedCount).map((one) => one.name);
      return {
        paragraphs: specs.map((one) =>
          packageParagraph(one.name, one.version, { Depends: one.depends.join(', ') }),
        ),
        set: {
          suites: ['trixie'],
          packages: wanted.map((each) => ({ name: each, reason: 'wanted' })),
          dropped: dropped
            .filter((each) => !wanted.includes(each))
            .map((each) => ({ name: each, reason: 'dropped' })),
        },
      };
    });
}

/** The closure, or undefined when there is none. */
function resolve({ paragraphs, set }: World): Closure | undefined {
  try {
    return resolveClosure(set, [indexOf(paragraphs)]);
  } catch (reason) {
    if (reason instanceof PlinthError && reason.code === 'debian/unsatisfiable') return undefined;
    throw reason;
  }
}

test('resolveClosure gives the same for every order of the index and of the list', () => {
  fc.assert(
    fc.property(
      worldOf(3),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (world, numbers) => {
        const shuffle = <T>(list: readonly T[]) =>
          list
            .map((item) => ({ item, place: numbers.next().value }))
            .sort((a, b) => a.place - b.place)
            .map(({ item }) => item);
        const other: World = {
          paragraphs: shuffle(world.paragraphs),
          set: { ...world.set, packages: shuffle(world.set.packages), dropped: shuffle(world.set.dropped) },
        };
        assert.deepEqual(resolve(other), resolve(world));
      },
    ),
  );
});

test('resolveClosure is closed under dependencies and free of dropped packages', () => {
  fc.assert(
    fc.property(worldOf(3), (world) => {
      const closure = resolve(world);
      if (!closure) return;
      const catalogue = buildCatalogue([indexOf(world.paragraphs)], new Map(), 'amd64');
      const chosen = closure.packages.map(({ item }) => item);
      const dropped = new Set(world.set.dropped.map((one) => one.name));
      for (const { name: wanted } of world.set.packages)
        assert.ok(chosen.some((item) => item.name === wanted));
      for (const item of chosen) {
        assert.ok(!dropped.has(item.name));
        for (const group of catalogue.dependencies(item)) {
          const met = group.some(
            (one) => dropped.has(one.name) || chosen.some((candidate) => catalogue.fulfils(candidate, one)),
          );
          assert.ok(met, `${item.name} lacks ${JSON.stringify(group)}`);
        }
      }
    }),
  );
});

const APT = '/usr/bin/apt-get';
const noApt = (await exists(APT)) ? false : 'this machine has no apt-get to compare with';

test('resolveClosure chooses what apt-get chooses where nothing is to be decided', {
  skip: noApt,
}, async () => {
  const dir = await scratchFolder('apt');
  await fc.assert(
    fc.asyncProperty(worldOf(1), async (world) => {
      const plain: World = { ...world, set: { ...world.set, dropped: [] } };
      const ours = resolve(plain)?.packages.map(({ item }) => `${item.name}_${item.version}`);
      assert.deepEqual(ours?.sort(), await askApt(dir, plain));
    }),
    { numRuns: 25 },
  );
});

/** What apt-get would install on an empty machine; undefined when it finds no way. */
async function askApt(dir: string, { paragraphs, set }: World): Promise<string[] | undefined> {
  for (const folder of ['archive', 'lists/partial', 'cache/archives/partial', 'etc']) {
    await mkdir(join(dir, folder), { recursive: true });
  }
  await writeFile(join(dir, 'archive/Packages'), paragraphs.join('\n'));
  await writeFile(join(dir, 'etc/sources.list'), `deb [trusted=yes] copy:${dir}/archive ./\n`);
  await writeFile(join(dir, 'status'), '');
  const settings = {
    ...{ 'Dir::State': dir, 'Dir::State::Lists': `${dir}/lists`, 'Dir::State::status': `${dir}/status` },
    ...{ 'Dir::Cache': `${dir}/cache`, 'Dir::Etc': `${dir}/etc`, 'Dir::Etc::parts': '/dev/null' },
    ...{ 'APT::Architecture': 'amd64', 'APT::Architectures': 'amd64', 'APT::Install-Recommends': 'false' },
    ...{ 'APT::Sandbox::User': 'root', 'Debug::NoLocking': '1', 'Acquire::Languages': 'none' },
    ...{ 'pkgCacheGen::Essential': 'none' },
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";`);
  await writeFile(join(dir, 'apt.conf'), `${lines.join('\n')}\n`);
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', APT_CONFIG: join(dir, 'apt.conf') };
  await run(APT, ['update', '-qq'], { env });
  const wanted = set.packages.map((one) => one.name);
  const { exitCode, stdout } = await run(APT, ['install', '--print-uris', '-qq', '-y', ...wanted], {
    env,
    okCodes: [0, 100],
  });
  if (exitCode !== 0) return undefined;
  const files = [...stdout.toString().matchAll(/\b(p\d+)_(\d)_amd64\.deb\b/g)];
  return [...new Set(files.map(([, of, at]) => `${of}_${at}`))].sort();
}
