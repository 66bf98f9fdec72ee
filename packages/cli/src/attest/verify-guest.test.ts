import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCli } from '../run-cli.ts';

const recorded = (name: string) =>
  fileURLToPath(new URL(`../../../attest/src/__fixtures__/confidential/${name}`, import.meta.url));

async function plinth(...argv: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const write = (into: string[]) => ({
    write: (text: string | Uint8Array) => into.push(Buffer.from(text).toString()),
  });
  const surroundings = { stdout: write(out), stderr: write(err), env: {} };
  const exitCode = await runCli(
    ['confidential', 'verify', ...argv],
    surroundings,
    new AbortController().signal,
  );
  return { exitCode, stdout: out.join(''), stderr: err.join('') };
}

test('a recorded quote is genuine, passes for what it says, and for nothing else', async () => {
  const quote = recorded('tdx-quote-v4.bin');
  const genuine = await plinth(quote);
  assert.equal(genuine.exitCode, 3);
  assert.match(genuine.stdout, /kind +TDX[\s\S]*root +Intel SGX Root CA[\s\S]*verdict +unknown: genuine/);
  const measurement = /measurement +([0-9a-f]{96})/.exec(genuine.stdout)?.[1] ?? '';
  const reportData = /report data +([0-9a-f]{128})/.exec(genuine.stdout)?.[1] ?? '';
  const expected = ['--measurement', measurement.toUpperCase(), '--report-data', reportData];
  assert.equal((await plinth(quote, ...expected)).exitCode, 0);
  const other = await plinth(quote, '--measurement', '0'.repeat(96), '--report-data', reportData);
  assert.equal(other.exitCode, 3);
  assert.match(other.stdout, /other-measurement +it is [0-9a-f]{16}…, expected 0{16}…/);
});

test('a report needs the certificates of its chip, and files that are none are told', async () => {
  const report = recorded('snp-report.bin');
  assert.match((await plinth(report)).stdout, /malformed +0 certificates are given/);
  const judged = await plinth(report, '--chain', recorded('snp-chain.pem'));
  assert.equal(judged.exitCode, 3);
  assert.match(judged.stdout, /debug-allowed[\s\S]*root +ARK-Milan[\s\S]*verdict +fail/);
  assert.match((await plinth(recorded('README.md'))).stdout, /malformed +.*is no SEV-SNP report/);
  assert.match((await plinth('/nonexistent')).stderr, /host\/io/);
  assert.match((await plinth(report, '--measurement', 'xyz')).stderr, /hexadecimal of 48 bytes/);
});
