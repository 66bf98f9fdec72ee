import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binary, changelogText, image, knowledge, NOW } from '../testing/knowledge.testing.ts';
import { judge } from './judge.ts';

test('evidence of the image turns "open" into "not affected" only when it holds', () => {
  const text = changelogText('linux', [
    [
      '6.12.117-1',
      'trixie-security',
      '[arm64] KVM: fix (CVE-2026-0001)',
      'f2fs: fix (CVE-2026-0002)',
      'net: fix (CVE-2026-0003)',
    ],
  ]);
  const subject = image([binary('linux-image-x', '6.12.107-1', { source: 'linux' })]);
  const config = { kind: 'config-off', symbols: ['CONFIG_F2FS_FS'] } as const;
  const { findings } = judge(subject, knowledge([['trixie-security', 'linux', '6.12.117-1', text]]), {
    now: NOW,
    evidence: {
      architecturesOf: (title) => (title.startsWith('[arm64]') ? ['arm64'] : undefined),
      proposeKernel: () => [{ predicate: config, justification: 'vulnerable_code_not_present' }],
      evaluate: (predicate) =>
        predicate.kind === 'other-architecture'
          ? { holds: 'yes', detail: 'amd64' }
          : { holds: 'unknown', detail: 'no config was read' },
    },
  });
  assert.deepEqual(
    findings.map(({ vulnerability, verdict, justification }) => [
      vulnerability.id.slice(-1),
      verdict,
      justification,
    ]),
    [
      ['2', 'open', undefined],
      ['3', 'open', undefined],
      ['1', 'not-affected', 'vulnerable_code_not_present'],
    ],
  );
  assert.deepEqual(findings[2]?.evidence[0]?.predicate, { kind: 'other-architecture', affected: ['arm64'] });
});

test('code that is compiled into the kernel is evidence too: it is open because the image has it', () => {
  const text = changelogText('linux', [
    ['6.12.117-1', 'trixie-security', 'macvlan: fix (CVE-2026-0001)', 'mm: fix (CVE-2026-0002)'],
  ]);
  const subject = image([binary('linux-image-x', '6.12.107-1', { source: 'linux' })]);
  const { findings } = judge(subject, knowledge([['trixie-security', 'linux', '6.12.117-1', text]]), {
    now: NOW,
    evidence: {
      architecturesOf: () => undefined,
      proposeKernel: () => [],
      compiledKernel: ({ subject: words }) => (words.startsWith('macvlan') ? 'it is compiled' : undefined),
      evaluate: () => ({ holds: 'unknown', detail: '' }),
    },
  });
  assert.deepEqual(
    findings.map(({ vulnerability, verdict, evidence }) => [
      vulnerability.id.slice(-1),
      verdict,
      ...evidence
        .filter(({ source }) => source === 'image')
        .map(({ kind, speaksFor, statement }) => `${kind} ${speaksFor}: ${statement}`),
    ]),
    [
      ['1', 'open', 'kernel-config open: it is compiled'],
      ['2', 'open'],
    ],
  );
});
