import assert from 'node:assert/strict';
import { readCertificates, readPe } from '@plinth/formats';
import type { Toolbox } from '@plinth/toolbox';
import type { DiskCopy } from './disk-copy.ts';
import type { Esp } from './esp.ts';

/** The image's only UKI on the ESP; its name carries the boot counter. */
export async function ukiPath(esp: Esp): Promise<string> {
  const names = (await esp.list('EFI/Linux')).filter((name) => name.endsWith('.efi'));
  assert.equal(names.length, 1, `UKIs on the ESP: ${names.join(', ')}`);
  return `EFI/Linux/${names[0]}`;
}

/** flipInSection turns over one bit in the middle of a PE section. */
export function flipInSection(program: Uint8Array, name: string): Uint8Array {
  const section = readPe(program).sections.find((each) => each.name === name);
  assert.ok(section, `no section ${name}`);
  return flipAt(program, section.fileOffset + Math.floor(section.virtualSizeBytes / 2));
}

/** flipInSignature turns over one bit of the signature value, which ends the CMS message of a signed program. */
export function flipInSignature(program: Uint8Array): Uint8Array {
  const message = readCertificates(program)[0];
  assert.ok(message, 'the program is not signed');
  const offset = Buffer.from(program).lastIndexOf(message);
  return flipAt(program, offset + message.length - 16);
}

/** replaceRootHash makes a command line name another root; same length, so the program keeps its layout. */
export function replaceRootHash(uki: Uint8Array): Uint8Array {
  const bytes = Buffer.from(uki);
  const offset = bytes.indexOf('roothash=') + 'roothash='.length;
  const digit = bytes.toString('latin1', offset, offset + 1);
  assert.match(digit, /^[0-9a-f]$/);
  bytes.write(digit === '0' ? '1' : '0', offset, 'latin1');
  return bytes;
}

/**
 * replaceRootHashSignature puts another signature value into the signed message that the initrd carries for the kernel,
 * everything else stays: it still names our key as the signer.
 * @param ours the message as the image has it
 * @param theirs a message of the same root hash by another key of the same size
 */
export function replaceRootHashSignature(uki: Uint8Array, ours: Uint8Array, theirs: Uint8Array): Uint8Array {
  const bytes = Buffer.from(uki);
  const offset = bytes.indexOf(ours);
  assert.ok(offset > 0, 'the UKI does not carry the message');
  assert.equal(bytes.indexOf(ours, offset + 1), -1, 'the UKI carries the message twice');
  // The signature value ends the message; RSA of 2048 bits or more.
  const valueBytes = 256;
  bytes.set(theirs.subarray(-valueBytes), offset + ours.length - valueBytes);
  return bytes;
}

/** The root hash in the command line of a UKI. */
export function rootHashOf(uki: Uint8Array): string {
  const hash = /\broothash=([0-9a-f]{64})\b/.exec(Buffer.from(uki).toString('latin1'))?.[1];
  assert.ok(hash, 'no root hash in the command line');
  return hash;
}

/** Where a file of the root lies on the disk, by the file system's own tool: the first of its extents. */
export async function fileOffset(
  toolbox: Toolbox,
  disk: DiskCopy,
  label: string,
  path: string,
): Promise<number> {
  const { offsetBytes } = disk.partition(label);
  const { stdout } = await toolbox.run(
    'dump.erofs',
    [`--offset=${offsetBytes}`, `--path=${path}`, '-e', '/disk'],
    { binds: [{ host: disk.path, inside: '/disk', readOnly: true }] },
  );
  // "   0:        0..   65536 |   65536 :   1234944..   1261568 |   26624"
  const extent = /^\s*0:\s*\d+\.\.\s*\d+\s*\|\s*\d+\s*:\s*(\d+)\.\./m.exec(stdout.toString('utf8'))?.[1];
  assert.ok(extent, `no extents of ${path} in: ${stdout.toString('utf8').slice(0, 400)}`);
  return offsetBytes + Number(extent);
}

function flipAt(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[offset] = (copy[offset] ?? 0) ^ 1;
  return copy;
}
