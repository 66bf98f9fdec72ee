import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { textAt } from '../model/json.ts';
import { type Read, readSources } from './read-sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'plinth-check-'));
after(() => rmSync(folder, { recursive: true }));

async function collect(reads: AsyncIterable<Read>): Promise<Read[]> {
  const all: Read[] = [];
  for await (const read of reads) all.push(read);
  return all;
}

async function readAll(...sources: readonly string[]): Promise<Read[]> {
  return collect(
    readSources(sources, { stdin: (async function* () {})(), signal: AbortSignal.timeout(60_000) }),
  );
}

/** Reads bytes from standard input, in pieces of that size. */
async function readBytes(text: string | Uint8Array, pieceBytes = 65_536): Promise<Read[]> {
  const bytes = Buffer.from(text as string);
  const stdin = (async function* () {
    for (let i = 0; i < bytes.length; i += pieceBytes) yield bytes.subarray(i, i + pieceBytes);
  })();
  return collect(readSources(['-'], { stdin, signal: AbortSignal.timeout(60_000) }));
}

const names = (reads: readonly Read[]) =>
  reads.flatMap((read) => (read.kind === 'object' ? [read.object.name] : []));
const problems = (reads: readonly Read[]) =>
  reads.flatMap((read) =>
    read.kind === 'problem' ? [`${read.problem.code} ${read.problem.span?.line ?? '-'}`] : [],
  );
const pod = (name: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\nspec:\n  hostPID: true\n  containers: [{ name: a, image: b }]\n`;

describe('documents', () => {
  test('each has its places, whatever stands before it and however it comes', async () => {
    const text = `# comment\n${pod('a')}---\n\n${pod('b')}--- # and\n${pod('c')}...\n`;
    for (const size of [1, 3, 1000]) {
      const reads = await readBytes(text, size);
      assert.deepEqual(names(reads), ['a', 'b', 'c']);
      const places = reads.map((read) =>
        read.kind === 'object' ? read.object.locate(['spec', 'hostPID']) : undefined,
      );
      assert.deepEqual(
        places.map((span) => [span?.file, span?.line, span?.column, span?.length]),
        [
          ['standard input', 7, 12, 4],
          ['standard input', 16, 12, 4],
          ['standard input', 24, 12, 4],
        ],
      );
    }
  });

  test('a broken one spoils no other, and is told with its line', async () => {
    const reads = await readBytes(`${pod('a')}---\nkind: [\n---\n${pod('b')}`);
    assert.deepEqual(names(reads), ['a', 'b']);
    assert.deepEqual(problems(reads), ['check/broken-yaml 10']);
  });

  test('ten thousand are read, one after the other', async () => {
    const reads = await readBytes(Array.from({ length: 10_000 }, (_, i) => pod(`p${i}`)).join('---\n'));
    assert.equal(names(reads).length, 10_000);
  });

  test('a mark of byte order and lines of Windows change nothing', async () => {
    assert.deepEqual(names(await readBytes(`\uFEFF${pod('a')}---\n${pod('b')}`.replaceAll('\n', '\r\n'))), [
      'a',
      'b',
    ]);
  });

  test('what is no object of Kubernetes is passed over, and told when there is nothing else', async () => {
    assert.deepEqual(await readBytes(`a: b\n---\nnull\n---\n- 1\n---\n${pod('a')}`).then(names), ['a']);
    assert.deepEqual(problems(await readBytes('a: b\n')), ['check/not-kubernetes 1']);
  });

  test('any split of any documents gives the same objects (property)', async () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/);
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, text), { maxLength: 8 }),
        fc.integer({ min: 1, max: 50 }),
        async (list, size) => {
          const documents = list.map(([each, note]) =>
            stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: each }, data: { note } }),
          );
          const reads = await readBytes(documents.join('---\n'), size);
          assert.deepEqual(
            reads.flatMap((read) =>
              read.kind === 'object' ? [[read.object.name, textAt(read.object.value, 'data', 'note')]] : [],
            ),
            list.filter(([, note]) => !note.includes('\0')),
          );
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('lists', () => {
  const items = [1, 2].map((i) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${i}`, labels: { 'a"items"': '[{' } },
    spec: { hostPID: true },
  }));
  const list = { apiVersion: 'v1', kind: 'List', items, metadata: { resourceVersion: '' } };

  test('of JSON come item by item, with the line and column of fields', async () => {
    for (const [text, line, column] of [
      [JSON.stringify(list), 1, undefined],
      [JSON.stringify(list, null, 2), 28, 20],
    ] as const) {
      const reads = await readBytes(text, 7);
      assert.deepEqual(problems(reads), []);
      assert.deepEqual(names(reads), ['p1', 'p2']);
      const second = reads[1];
      const span = second?.kind === 'object' ? second.object.locate(['spec', 'hostPID']) : undefined;
      assert.equal(span?.line, line);
      assert.equal(
        text
          .split('\n')
          [line - 1]?.slice((span?.column ?? 0) - 1)
          .startsWith('true'),
        true,
      );
      if (column !== undefined) assert.equal(span?.column, column);
    }
  });

  test('of YAML come item by item, one that is broken alone', async () => {
    const text = `${stringify(list, { indentSeq: false })}`.replace('name: p2', 'name: [p2');
    const reads = await readBytes(text);
    assert.deepEqual(names(reads), ['p1']);
    assert.equal(problems(reads).length, 1);
    assert.deepEqual(names(await readBytes(stringify(list))), ['p1', 'p2']);
  });

  test('of JSON, cut off in the middle, give what is whole', async () => {
    const reads = await readBytes(JSON.stringify(list).slice(0, -60));
    assert.deepEqual(names(reads), ['p1']);
    assert.deepEqual(problems(reads), ['check/broken-yaml 1']);
  });

  test('several JSON objects in a row are as many documents', async () => {
    assert.deepEqual(names(await readBytes(items.map((item) => JSON.stringify(item)).join('\n'))), [
      'p1',
      'p2',
    ]);
  });
});

describe('aliases', () => {
  test('of one document are followed, however often', async () => {
    const reads = await readBytes(
      `apiVersion: v1\nkind: Pod\nmetadata: {name: &n a, labels: {app: *n}}\nspec: {x: *n}\n---\n${pod('b')}`,
    );
    assert.deepEqual([names(reads), problems(reads)], [['a', 'b'], []]);
  });

  test('whose anchor stands in another item of a list, or nowhere, are told as that, where they stand', async () => {
    const text = `apiVersion: v1\nkind: List\nitems:\n- &x\n  ${pod('a').trim().replaceAll('\n', '\n  ')}\n-  *x\n`;
    const reads = await readBytes(text);
    assert.deepEqual(names(reads), ['a']);
    const line = text.trimEnd().split('\n').length;
    assert.deepEqual(problems(reads), [`check/broken-yaml ${line}`]);
    const [told] = reads.flatMap((read) => (read.kind === 'problem' ? [read.problem] : []));
    assert.match(told?.message ?? '', /the alias \*x has no anchor in its document or item of a list/);
    assert.equal(told?.span?.column, 4);
    const nowhere = await readBytes('apiVersion: v1\nkind: Pod\nmetadata:\n  name: *missing\n');
    assert.deepEqual(problems(nowhere), ['check/broken-yaml 4']);
  });
});

describe('hostile input', () => {
  const hostile: readonly (readonly [what: string, text: string | Uint8Array, code: string])[] = [
    [
      'aliases that unfold',
      `apiVersion: v1\nkind: Pod\na0: &a0 [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`)}]`).join('\n')}\n`,
      'check/too-many-aliases',
    ],
    ['brackets in brackets', `apiVersion: v1\nkind: Pod\nx: ${'['.repeat(200_000)}\n`, 'check/too-large'],
    ['lists in lists', `apiVersion: v1\nkind: Pod\nx:\n  ${'- '.repeat(200_000)}\n`, 'check/too-large'],
    ['a line without end', `apiVersion: v1\nkind: Pod\nx: "${'a'.repeat(9_000_000)}"\n`, 'check/too-large'],
    ['many quotes', `apiVersion: v1\nkind: Pod\nx: ${"'a' ".repeat(200_000)}\n`, 'check/too-large'],
    [
      'no UTF-8',
      Buffer.concat([Buffer.from('apiVersion: v1\nkind: Pod\nx: '), Buffer.from([0xff, 0x0a])]),
      'check/not-text',
    ],
    ['a NUL', 'apiVersion: v1\nkind: "Pod\0"\n', 'check/not-text'],
    ['UTF-16', Buffer.from(`\ufeff${pod('a')}`, 'utf16le'), 'check/not-text'],
    [
      'a template',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: {{ .Release.Name }}}\n',
      'check/not-rendered',
    ],
    ['a template of control', '{{- if .x }}\napiVersion: v1\nkind: Pod\n{{- end }}\n', 'check/not-rendered'],
  ];
  for (const [what, text, code] of hostile) {
    test(`${what}: ${code}, and what follows is read`, { timeout: 30_000 }, async () => {
      const reads = await readBytes(
        Buffer.concat([Buffer.from(text as string), Buffer.from(`\n---\n${pod('after')}`)]),
      );
      assert.deepEqual(names(reads), ['after']);
      assert.deepEqual(
        problems(reads).map((each) => each.split(' ')[0]),
        [code],
      );
    });
  }

  test('no bytes make it throw (property)', async () => {
    const piece = fc.constantFrom(
      'apiVersion: v1\n',
      'kind: Pod\n',
      '---\n',
      'items:\n',
      '- ',
      '{"items":[',
      '{',
      '}',
      ']',
      '"',
      '&a ',
      '*a',
      '\n',
      '  ',
      'x: |\n',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(piece, fc.string({ maxLength: 6 })), { maxLength: 30 }),
        async (parts) => {
          for (const read of await readBytes(parts.join(''), 5))
            if (read.kind === 'object') read.object.locate(['metadata', 'name', 0, 'x']);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('folders', () => {
  const chart = join(folder, 'chart');
  mkdirSync(join(chart, 'templates'), { recursive: true });
  mkdirSync(join(chart, 'crds'));
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: c\nversion: 1.0.0\n');
  writeFileSync(join(chart, 'values.yaml'), 'apiVersion: v1\nkind: Pod\n');
  writeFileSync(join(chart, 'templates', 'pod.yaml'), pod('template'));
  writeFileSync(join(chart, 'crds', 'pod.yaml'), pod('crd'));
  const plain = join(folder, 'plain');
  mkdirSync(join(plain, '.git'), { recursive: true });
  writeFileSync(join(plain, '.git', 'a.yaml'), pod('git'));
  writeFileSync(join(plain, 'a.yml'), pod('a'));
  writeFileSync(
    join(plain, 'b.json'),
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'b' } }),
  );
  writeFileSync(join(plain, 'package.json'), '{"name": "x", "broken": }');
  writeFileSync(join(plain, 'broken.yaml'), 'apiVersion: v1\nkind: Pod\nmetadata: [\n');
  writeFileSync(join(plain, 'kustomization.yaml'), 'resources: [a.yml]\n');
  symlinkSync('.', join(plain, 'round'));

  test('are read with all below them; links, .git and files of other programs are left out', async () => {
    const reads = await readAll(plain);
    assert.deepEqual(names(reads), ['a', 'b']);
    assert.deepEqual(problems(reads), ['check/broken-yaml 4']);
    assert.deepEqual(
      reads.flatMap((read) => (read.kind === 'note' ? [read.note.replace(folder, '')] : [])),
      ['/plain: a kustomization that is not built; its files are checked as they are'],
    );
  });

  test('of a chart say that its templates are not rendered, and the rest is read', async () => {
    const reads = await readAll(chart);
    assert.deepEqual(names(reads), ['crd']);
    assert.deepEqual(problems(reads), ['check/not-rendered 1']);
  });

  test('in another encoding are told, not taken for files of other programs', async () => {
    const windows = join(folder, 'windows');
    mkdirSync(windows);
    for (const mark of ['', '\ufeff'])
      writeFileSync(join(windows, `${mark.length}.yaml`), Buffer.from(mark + pod('a'), 'utf16le'));
    assert.deepEqual(problems(await readAll(windows)), ['check/not-text 1', 'check/not-text 1']);
  });

  test('that a link leads to are read when the link is named', async () => {
    symlinkSync(plain, join(folder, 'link'));
    assert.deepEqual(names(await readAll(join(folder, 'link'))), ['a', 'b']);
  });

  test('and files that are pipes do not make it wait', async () => {
    const pipe = join(folder, 'pipe.yaml');
    execFileSync('mkfifo', [pipe]);
    assert.deepEqual(problems(await readAll(pipe)), ['host/io 1']);
  });

  test('that are not there are an error', async () => {
    await assert.rejects(readAll(join(folder, 'missing')), { code: 'host/io' });
  });
});
