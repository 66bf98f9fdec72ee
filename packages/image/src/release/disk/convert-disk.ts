import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { seededUuid } from '@plinth/formats';
import { ioError } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { fixVhdFooter, VHD_FOOTER_BYTES } from './vhd-footer.ts';
import { fixVmdkDescriptor, VMDK_DESCRIPTOR_BYTES, VMDK_DESCRIPTOR_OFFSET } from './vmdk-descriptor.ts';

/** The forms a disk is published in, by file extension. */
export const diskFormats = ['raw.zst', 'qcow2', 'vhd', 'vmdk', 'gce.tar.gz'] as const;
export type DiskFormat = (typeof diskFormats)[number];

export interface ConvertOptions {
  readonly epochSeconds: number;
  /** Identifies the content, such as the root hash; identities inside the file are derived from it. */
  readonly seed: string;
  readonly signal?: AbortSignal;
}

const MIB = 2 ** 20;
const IN = '/mnt/in';
const OUT = '/mnt/out';

/**
 * convertDisk writes a raw disk in another form. The same disk and seed always give the same bytes: no clock, no random
 * identity, no dependence on how many processors there are or where the file system kept holes.
 * @param output path of the new file; appears only when it is whole
 * @throws release/disk-format when the disk is not a whole number of MiB (Azure takes no other), host/disk-full,
 *   and what Toolbox.run throws
 */
export async function convertDisk(
  toolbox: Toolbox,
  rawPath: string,
  format: DiskFormat,
  output: string,
  options: ConvertOptions,
): Promise<void> {
  const isSparse = await inspectRaw(rawPath);
  const unfinished = `.${basename(output)}.unfinished`;
  const target = join(dirname(output), unfinished);
  const sparseCopy = `${target}.raw`;
  const runTool = ({ program, args }: Command, source: string) =>
    toolbox.run(program, args, {
      binds: [
        { host: dirname(source), inside: IN, readOnly: true },
        { host: dirname(output), inside: OUT },
      ],
      ...(options.signal ? { signal: options.signal } : {}),
    });
  try {
    let source = rawPath;
    // tar looks for holes only in files that have some.
    if (format === 'gce.tar.gz' && !isSparse) {
      const paths = [`${IN}/${basename(rawPath)}`, `${OUT}/${basename(sparseCopy)}`];
      await runTool({ program: 'cp', args: ['--sparse=always', ...paths] }, rawPath);
      source = sparseCopy;
    }
    await runTool(commands[format](basename(source), unfinished, options.epochSeconds), source);
    if (format === 'vhd') await fixVhd(target, options);
    if (format === 'vmdk') await fixVmdk(target, basename(output), options);
    await rename(target, output);
  } finally {
    await rm(target, { force: true });
    await rm(sparseCopy, { force: true });
  }
}

interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

type CommandOf = (source: string, target: string, epochSeconds: number) => Command;

const commands: Readonly<Record<DiskFormat, CommandOf>> = {
  // A fixed number of threads: one thread alone writes other bytes than several do.
  'raw.zst': (source, target) => ({
    program: 'zstd',
    args: ['-q', '-f', '-3', '-T2', '-o', `${OUT}/${target}`, `${IN}/${source}`],
  }),
  qcow2: (source, target) =>
    qemuImg(source, target, 'qcow2', ['-c', '-o', 'compression_type=zstd,lazy_refcounts=off']),
  vhd: (source, target) => qemuImg(source, target, 'vpc', ['-o', 'subformat=fixed,force_size=on']),
  vmdk: (source, target) => qemuImg(source, target, 'vmdk', ['-o', 'subformat=streamOptimized']),
  // Google's import wants one sparse member called disk.raw in the old GNU format.
  'gce.tar.gz': (source, target, epochSeconds) => ({
    program: 'tar',
    args: [
      '--create',
      '--format=oldgnu',
      '--sparse',
      // Holes by content, not by where the file system left some.
      '--hole-detection=raw',
      '--owner=root:0',
      '--group=root:0',
      '--mode=0644',
      `--mtime=@${epochSeconds}`,
      '--transform=s/.*/disk.raw/',
      // The gzip form without time or name; zstd speaks it too.
      '--use-compress-program=zstd -q -1 --format=gzip',
      `--file=${OUT}/${target}`,
      `--directory=${IN}`,
      source,
    ],
  }),
};

/** Without -W, qemu-img writes clusters in order, however many it compresses at once. */
function qemuImg(source: string, target: string, format: string, options: readonly string[]): Command {
  const paths = [`${IN}/${source}`, `${OUT}/${target}`];
  return { program: 'qemu-img', args: ['convert', '-q', '-f', 'raw', '-O', format, ...options, ...paths] };
}

/** Tells whether the file has holes. */
async function inspectRaw(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch((reason: unknown) => {
    throw ioError(reason, `open ${path}`);
  });
  const { size, blocks } = await file.stat().finally(() => file.close());
  if (size > 0 && size % MIB === 0) return blocks * 512 < size;
  const state = `it has ${size} bytes, expected a whole number of MiB`;
  throw new PlinthError('release/disk-format', `Cannot convert ${path}: ${state}`);
}

async function fixVhd(path: string, { epochSeconds, seed }: ConvertOptions): Promise<void> {
  await patch(path, (size) => ({
    offset: size - VHD_FOOTER_BYTES,
    lengthBytes: VHD_FOOTER_BYTES,
    change: (footer) => fixVhdFooter(footer, epochSeconds, seededUuid(`${seed} vhd`)),
  }));
}

async function fixVmdk(path: string, name: string, { seed }: ConvertOptions): Promise<void> {
  const cid = seededUuid(`${seed} vmdk`).slice(0, 8);
  await patch(path, () => ({
    offset: VMDK_DESCRIPTOR_OFFSET,
    lengthBytes: VMDK_DESCRIPTOR_BYTES,
    change: (descriptor) => fixVmdkDescriptor(descriptor, { cid, name }),
  }));
}

interface Patch {
  readonly offset: number;
  readonly lengthBytes: number;
  readonly change: (bytes: Uint8Array) => Uint8Array;
}

async function patch(path: string, plan: (sizeBytes: number) => Patch): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { offset, lengthBytes, change } = plan((await file.stat()).size);
    const bytes = Buffer.alloc(lengthBytes);
    await file.read(bytes, 0, lengthBytes, offset);
    await file.write(change(bytes), 0, lengthBytes, offset);
  } finally {
    await file.close();
  }
}
