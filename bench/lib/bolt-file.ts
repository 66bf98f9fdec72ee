/** A bucket of a bbolt file: names to values, or to buckets inside. */
export interface BoltBucket {
  readonly [name: string]: Buffer | BoltBucket;
}

const PAGE_BYTES = 4096;
const PAGE_HEADER_BYTES = 16;
const ELEMENT_BYTES = 16;
const LEAF = 0x02;
const META = 0x04;
const FREELIST = 0x10;
const BUCKET_INSIDE = 0x01;

/**
 * boltFile writes a bbolt database (format version 2, little endian) that nobody has changed yet: two meta pages, an
 * empty list of free pages, and one leaf with as many pages as it needs for each bucket. The format: go.etcd.io/bbolt,
 * what it keeps in its pages.
 */
export function boltFile(root: BoltBucket): Buffer {
  const pages: Buffer[] = [];
  let nextPage = 3;
  const place = (bucket: BoltBucket): number => {
    const entries = Object.entries(bucket)
      .map(([name, value]) => ({ key: Buffer.from(name), value }))
      .sort((a, b) => a.key.compare(b.key))
      .map(({ key, value }) =>
        Buffer.isBuffer(value)
          ? { key, value, flags: 0 }
          : { key, value: bucketHead(place(value)), flags: BUCKET_INSIDE },
      );
    const page = leafPage(nextPage, entries);
    const number = nextPage;
    nextPage += page.length / PAGE_BYTES;
    pages.push(page);
    return number;
  };
  const rootPage = place(root);
  const freelist = emptyPage(2, FREELIST);
  return Buffer.concat([
    metaPage(0, rootPage, nextPage),
    metaPage(1, rootPage, nextPage),
    freelist,
    ...pages,
  ]);
}

function emptyPage(number: number, flags: number): Buffer {
  const page = Buffer.alloc(PAGE_BYTES);
  page.writeBigUInt64LE(BigInt(number), 0);
  page.writeUInt16LE(flags, 8);
  return page;
}

/** Page of the bucket, and how often a number was drawn from it. */
function bucketHead(page: number): Buffer {
  const head = Buffer.alloc(16);
  head.writeBigUInt64LE(BigInt(page), 0);
  return head;
}

function leafPage(
  number: number,
  entries: readonly { readonly key: Buffer; readonly value: Buffer; readonly flags: number }[],
): Buffer {
  const dataBytes = entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
  const sizeBytes = PAGE_HEADER_BYTES + entries.length * ELEMENT_BYTES + dataBytes;
  const count = Math.ceil(sizeBytes / PAGE_BYTES);
  const page = Buffer.alloc(count * PAGE_BYTES);
  page.writeBigUInt64LE(BigInt(number), 0);
  page.writeUInt16LE(LEAF, 8);
  page.writeUInt16LE(entries.length, 10);
  page.writeUInt32LE(count - 1, 12);
  let at = PAGE_HEADER_BYTES + entries.length * ELEMENT_BYTES;
  for (const [index, { key, value, flags }] of entries.entries()) {
    const element = PAGE_HEADER_BYTES + index * ELEMENT_BYTES;
    page.writeUInt32LE(flags, element);
    // Where the key begins is counted from the element itself.
    page.writeUInt32LE(at - element, element + 4);
    page.writeUInt32LE(key.length, element + 8);
    page.writeUInt32LE(value.length, element + 12);
    at += key.copy(page, at);
    at += value.copy(page, at);
  }
  return page;
}

/** Both metas are whole; the one of the higher transaction counts. */
function metaPage(number: 0 | 1, rootPage: number, pages: number): Buffer {
  const page = emptyPage(number, META);
  const meta = page.subarray(PAGE_HEADER_BYTES);
  meta.writeUInt32LE(0xed0cdaed, 0);
  meta.writeUInt32LE(2, 4);
  meta.writeUInt32LE(PAGE_BYTES, 8);
  meta.writeBigUInt64LE(BigInt(rootPage), 16);
  meta.writeBigUInt64LE(2n, 32);
  meta.writeBigUInt64LE(BigInt(pages), 40);
  meta.writeBigUInt64LE(BigInt(number), 48);
  meta.writeBigUInt64LE(fnv1a64(meta.subarray(0, 56)), 56);
  return page;
}

function fnv1a64(bytes: Buffer): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash;
}
