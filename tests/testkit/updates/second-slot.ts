import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { editGpt, type GptEdit, readGptTables } from '@plinth/formats';
import { type Manifest, parseManifest } from '@plinth/updates';
import type { BootLab } from '../boot-lab.ts';
import { copyDisk, type DiskCopy } from '../disk-copy.ts';
import { type Esp, openEsp } from '../esp.ts';
import { ukiPath } from '../tampering.ts';

/** On every disk that the builder makes, the second slot has as many partitions as the first, and follows it. */
const SLOT_PARTITIONS = 3;

/**
 * copyWithTrial copies the disk of the release under test, proven, with another release written into the second slot and its
 * boot entry with counters: what staging and activating come to, without a node that does it.
 * @param tries that the boot loader may make
 */
export async function copyWithTrial(
  lab: BootLab,
  name: string,
  releaseFolder: string,
  tries: number,
): Promise<DiskCopy> {
  const disk = await copyDisk(lab.release.diskPath, join(lab.scratch, `${name}.raw`));
  const esp = openEsp(lab.toolbox, disk);
  await proveEntry(esp);
  const manifest = await readReleaseManifest(releaseFolder);
  const edits: GptEdit[] = [];
  for (const { number, label, uuid, artefact } of manifest.partitions) {
    if (artefact === undefined) continue;
    edits.push({ number: number + SLOT_PARTITIONS, label, uuid });
    await copyInto(disk, number + SLOT_PARTITIONS, join(releaseFolder, artefact.name));
  }
  assert.equal(edits.length, SLOT_PARTITIONS, 'partitions of the release');
  await relabel(disk, edits);
  const uki = await readFile(join(releaseFolder, manifest.uki.name));
  await esp.write(`EFI/Linux/${manifest.uki.name.replace(/\.efi$/, `+${tries}-0.efi`)}`, uki);
  return disk;
}

/** Takes the counters from the name of a disk's only boot entry. */
async function proveEntry(esp: Esp): Promise<void> {
  const before = await ukiPath(esp);
  const data = await esp.read(before);
  await esp.remove(before);
  await esp.write(before.replace(/\+\d+(-\d+)?\.efi$/, '.efi'), data);
}

/** The manifest in a release folder. */
async function readReleaseManifest(folder: string): Promise<Manifest> {
  const name = (await readdir(folder)).find((each) => each.endsWith('.manifest.json'));
  assert.ok(name, `no manifest in ${folder}`);
  return parseManifest(await readFile(join(folder, name), 'utf8'), name);
}

async function copyInto(disk: DiskCopy, number: number, path: string): Promise<void> {
  let at = disk.partitionByNumber(number).offsetBytes;
  for await (const chunk of createReadStream(path, {
    highWaterMark: 4 * 1024 ** 2,
  }) as AsyncIterable<Buffer>) {
    await disk.write(at, chunk);
    at += chunk.length;
  }
}

/** Gives partitions of a disk other labels and ids. */
async function relabel(disk: DiskCopy, edits: readonly GptEdit[]): Promise<void> {
  const tables = await readGptTables(disk);
  for (const { bytes, offsetBytes } of editGpt(tables, edits)) await disk.write(offsetBytes, bytes);
}
