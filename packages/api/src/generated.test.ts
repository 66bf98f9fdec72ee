import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const packageFolder = fileURLToPath(new URL('../', import.meta.url));
const binaries = join(createRequire(import.meta.url).resolve('@bufbuild/buf/package.json'), '../../../.bin');

function buf(...args: string[]): string {
  const env = { ...process.env, PATH: `${binaries}${delimiter}${process.env['PATH'] ?? ''}` };
  return execFileSync(join(binaries, 'buf'), args, { cwd: packageFolder, env, encoding: 'utf8' });
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
    .sort();
}

test('the contract passes buf lint and is formatted', () => {
  assert.equal(buf('lint'), '');
  assert.equal(buf('format', '--diff', '--exit-code'), '');
});

test('the committed code is what the contract generates', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plinth-gen-'));
  try {
    buf('generate', '--output', folder);
    const fresh = join(folder, 'src', 'gen');
    const committed = join(packageFolder, 'src', 'gen');
    assert.deepEqual(filesBelow(committed), filesBelow(fresh));
    for (const file of filesBelow(fresh)) {
      const same = readFileSync(join(fresh, file)).equals(readFileSync(join(committed, file)));
      assert.ok(same, `${file} is stale: run "npm run generate -w @plinth/api"`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** What clients and nodes in the field rely on; renewed by "npm run baseline -w @plinth/api" where a break is meant. */
const BASELINE = join(packageFolder, 'contract-baseline.binpb');

function breaks(protoFolder: string): string {
  try {
    return buf('breaking', protoFolder, '--against', BASELINE, '--config', join(packageFolder, 'buf.yaml'));
  } catch (reason) {
    if (reason instanceof Error && 'stdout' in reason) return String(reason.stdout);
    throw reason;
  }
}

test('the contract breaks nobody who speaks the one of the baseline', () => {
  assert.equal(buf('breaking', '--against', BASELINE), '');
});

test('a field that is taken away, or has another type or number, is a break', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plinth-break-'));
  const file = join(folder, 'proto/plinth/node/v1/audit.proto');
  try {
    for (const [from, to, rule] of [
      ['uint64 sequence = 1;', '', 'FIELD_NO_DELETE'],
      ['uint64 sequence = 1;', 'string sequence = 1;', 'FIELD_SAME_TYPE'],
      ['rpc GetAuditHead(', 'rpc GetAuditTop(', 'RPC_NO_DELETE'],
    ] as const) {
      cpSync(join(packageFolder, 'proto'), join(folder, 'proto'), { recursive: true });
      cpSync(join(packageFolder, 'buf.yaml'), join(folder, 'buf.yaml'));
      const proto = readFileSync(file, 'utf8');
      assert.ok(proto.includes(from));
      writeFileSync(file, proto.replace(from, to));
      assert.match(breaks(folder), /audit\.proto/, rule);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
