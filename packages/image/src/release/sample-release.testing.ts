import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashText } from '@plinth/host';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import { initKeys, loadKeys, loadPublicKeys, type Signer } from '@plinth/trust';
import { BOOT_FILES, type BuildKeys, makeBootChain } from '../boot/boot-chain.ts';
import { makeDisk } from '../disk/make-disk.ts';
import { readIpePolicy } from '../ipe/ipe-policy.ts';
import { addVerity } from '../root/make-root.ts';
import { loadOsSpec, type OsSpec } from '../spec/os-spec.ts';
import type { DiskFormat } from './disk/convert-disk.ts';
import { type SecureBootKeys, secureBootKeys } from './secure-boot-keys.ts';
import { writeRelease } from './write-release.ts';

const OS_DIR = join(import.meta.dirname, '../../../../os');
const SLOTS = { rootSizeBytes: 8 * 2 ** 20, veritySizeBytes: 2 ** 20 };
const EPOCH_SECONDS = 1_763_700_000;

/** Everything that sample releases share: tools, two sets of keys, a tree and its root image. */
export interface SampleWorkshop {
  readonly folder: string;
  readonly toolbox: Toolbox;
  readonly keys: BuildKeys;
  /** Keys of the machines that its releases are for. */
  readonly secureBoot: SecureBootKeys;
  /** Keys of somebody else. */
  readonly foreign: BuildKeys;
  readonly treeDir: string;
  close(): Promise<void>;
}

/** What a sample does otherwise than a good build. */
export interface SampleChanges {
  readonly keys?: Partial<BuildKeys>;
  /** Root hash that the UKI is told. */
  readonly ukiRootHash?: string;
  /** Signs what lies in the signature partition. */
  readonly veritySigner?: Signer;
  /** Tree the papers are written from; the root is always made from the workshop's. */
  readonly treeDir?: string;
  /** Changes the finished disk before anything is written from it. */
  readonly damageDisk?: (path: string) => Promise<void>;
  readonly formats?: readonly DiskFormat[];
  readonly version?: string;
}

/**
 * openWorkshop prepares for making releases with the real builder from a tree of a few files: small slots, and the boot
 * loader in the place of a kernel, since nothing boots them.
 */
export async function openWorkshop(): Promise<SampleWorkshop> {
  const toolbox = await openToolbox();
  const folder = await mkdtemp(join(tmpdir(), 'plinth-release-'));
  const treeDir = join(folder, 'tree');
  const units = join(treeDir, 'usr/lib/systemd/system');
  await mkdir(units, { recursive: true });
  await mkdir(join(treeDir, 'usr/bin'), { recursive: true });
  await writeFile(join(units, 'demo.socket'), '[Socket]\nListenStream=7546\n');
  await writeFile(join(treeDir, 'usr/bin/demo'), Buffer.alloc(200_000, 'not really a program '));
  await writeFile(join(treeDir, 'usr/lib/os-release'), 'ID=plinth\n');
  await mkdir(join(folder, 'root'));
  await toolbox.run('mkfs.erofs', ['--quiet', '-T1', '--all-root', '/mnt/out/root.erofs', '/mnt/tree'], {
    binds: [
      { host: treeDir, inside: '/mnt/tree', readOnly: true },
      { host: join(folder, 'root'), inside: '/mnt/out' },
    ],
  });
  return {
    folder,
    toolbox,
    treeDir,
    keys: await makeKeys(join(folder, 'keys')),
    foreign: await makeKeys(join(folder, 'foreign')),
    secureBoot: secureBootKeys(await loadPublicKeys(join(folder, 'keys'))),
    close: () => rm(folder, { recursive: true }),
  };
}

async function makeKeys(dir: string): Promise<BuildKeys> {
  await initKeys(dir);
  const { boot, verity, pcr, release } = (await loadKeys(dir)).signers;
  return { boot, verity, pcr, release };
}

/** makeSampleRelease makes a whole release in a new folder and gives its path. */
export async function makeSampleRelease(
  workshop: SampleWorkshop,
  changes: SampleChanges = {},
): Promise<string> {
  const { folder, toolbox } = workshop;
  const work = await mkdtemp(join(folder, 'build-'));
  const keys = { ...workshop.keys, ...changes.keys };
  const osDir = await smallLayout(work);
  const { os } = await loadOsSpec(OS_DIR);
  const spec: OsSpec = { ...os, version: changes.version ?? '1.2.3' };
  const seed = `sample ${spec.version}`;
  const root = await addVerity(join(folder, 'root'), { seed, slots: SLOTS });

  const efi = join(toolbox.root, 'usr/lib/systemd/boot/efi');
  await writeFile(join(work, 'initrd'), Buffer.alloc(4096, 'initrd'));
  const chain = {
    spec,
    kernelPath: join(efi, 'systemd-bootx64.efi'),
    kernelVersion: '6.12.0-sample',
    initrdPath: join(work, 'initrd'),
    stubPath: join(efi, 'linuxx64.efi.stub'),
    loaderPath: join(efi, 'systemd-bootx64.efi'),
    ipePolicy: await readIpePolicy(OS_DIR, spec.execute, spec.version),
    osReleasePath: join(workshop.treeDir, 'usr/lib/os-release'),
    toolbox,
    epochSeconds: EPOCH_SECONDS,
  };
  const bootDir = join(work, 'boot');
  await mkdir(bootDir);
  await makeBootChain({ ...chain, keys, rootHash: changes.ukiRootHash ?? root.rootHash }, bootDir);
  const sideDir = join(work, 'side');
  await mkdir(sideDir);
  const verity = changes.veritySigner ?? keys.verity;
  await makeBootChain({ ...chain, keys: { ...keys, verity }, rootHash: root.rootHash }, sideDir);

  await mkdir(join(work, 'disk'));
  const diskPath = await makeDisk(
    {
      spec,
      root,
      veritySignatureJson: await readFile(join(sideDir, BOOT_FILES.veritySignature), 'utf8'),
      bootLoaderPath: join(bootDir, BOOT_FILES.loader),
      ukiPath: join(bootDir, BOOT_FILES.uki),
      epochSeconds: EPOCH_SECONDS,
    },
    osDir,
    join(work, 'disk'),
    toolbox,
  );
  await changes.damageDisk?.(diskPath);

  const release = join(work, 'release');
  await writeRelease(
    {
      name: spec.name,
      version: spec.version,
      prettyName: spec.prettyName,
      epochSeconds: EPOCH_SECONDS,
      rootHash: root.rootHash,
      diskPath,
      ukiPath: join(bootDir, BOOT_FILES.uki),
      lock: {
        format: 1,
        architecture: 'amd64',
        created: new Date(EPOCH_SECONDS * 1000).toISOString(),
        specDigest: hashText('spec'),
        indexes: [],
        packages: [],
      },
      lockSha256: hashText('lock'),
      treeDir: changes.treeDir ?? workshop.treeDir,
      licences: new Map(),
      owners: new Map(),
      kernel: { release: chain.kernelVersion, package: 'linux-image-sample', config: 'CONFIG_EROFS_FS=m\n' },
      agent: {
        version: '0.1.0',
        path: '/usr/bin/demo',
        contents: { runtime: { name: 'node', version: '26.10.0', components: {} }, modules: [] },
      },
      pcrs: JSON.parse(await readFile(join(bootDir, BOOT_FILES.pcrs), 'utf8')),
      secureBoot: workshop.secureBoot,
      certificates: {
        boot: keys.boot.certificate,
        verity: keys.verity.certificate,
        pcr: keys.pcr.certificate,
        release: keys.release.certificate,
      },
      signer: keys.release,
      formats: changes.formats ?? ['raw.zst'],
    },
    release,
    { toolbox },
  );
  return release;
}

/** The partitions of os/repart.d with slots for small things. */
async function smallLayout(work: string): Promise<string> {
  const osDir = join(work, 'os');
  await cp(join(OS_DIR, 'repart.d'), join(osDir, 'repart.d'), { recursive: true });
  for (const slot of ['20-root-a', '30-root-b', '21-root-a-verity', '31-root-b-verity']) {
    const path = join(osDir, 'repart.d', `${slot}.conf`);
    const bytes = slot.endsWith('verity') ? SLOTS.veritySizeBytes : SLOTS.rootSizeBytes;
    const text = (await readFile(path, 'utf8')).replaceAll(/^(Size\w+Bytes)=.*$/gm, `$1=${bytes / 2 ** 20}M`);
    await writeFile(path, text);
  }
  return osDir;
}
