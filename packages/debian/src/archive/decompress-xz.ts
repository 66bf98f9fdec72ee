import { readFile, rm, writeFile } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { run } from '@plinth/host';

/**
 * decompressXz returns the content of an .xz file. The security archive offers its index in no other form, Node has
 * no xz, and a fresh machine need not have the xz program; it does have dpkg-deb, which is needed anyway and reads
 * xz with its own library. So the file is dressed up as the data member of a .deb (deb(5), ar(5)) for the time of
 * one `dpkg-deb --fsys-tarfile`, which writes that member out as it is, without looking into it.
 * @param expectedBytes what the content should measure, for the message when it does not come out
 * @throws debian/index-invalid, host/command-missing
 */
export async function decompressXz(path: string, expectedBytes: number): Promise<Buffer> {
  const wrapped = `${path}.${process.pid}.deb`;
  try {
    await writeFile(wrapped, wrapAsDeb(await readFile(path)));
    return (await run('dpkg-deb', ['--fsys-tarfile', wrapped])).stdout;
  } catch (reason) {
    if (reason instanceof PlinthError && reason.code === 'host/command-missing') throw reason;
    const message = `Cannot decompress ${path}: it is damaged, expected ${expectedBytes} bytes of content`;
    throw new PlinthError('debian/index-invalid', message, { cause: reason });
  } finally {
    await rm(wrapped, { force: true });
  }
}

function wrapAsDeb(xz: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from('!<arch>\n'),
    ...arMember('debian-binary', Buffer.from('2.0\n')),
    ...arMember('control.tar', Buffer.alloc(1024)),
    ...arMember('data.tar.xz', xz),
  ]);
}

/** One member: a 60-byte header of space-padded text, the data, and a newline when the length is odd. */
function arMember(name: string, data: Uint8Array): Uint8Array[] {
  const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}`;
  const size = String(data.length).padEnd(10);
  return [Buffer.from(`${header}${size}\`\n`), data, Buffer.from(data.length % 2 === 1 ? '\n' : '')];
}
