import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { advise } from '../advise/advise.ts';
import { loadRules } from '../advise/rule-schema.ts';
import { loadKnowledge } from '../facts/load.ts';
import { adviceBrief } from './advice-brief.ts';
import { contradictionsOf } from './contradictions.ts';
import { decisionPath, pathMermaid } from './decision-path.ts';
import type { Report } from './document.ts';
import { escapeMarkup, reportHtml } from './html.ts';
import { reportMarkdown } from './markdown.ts';
import { pathSvg } from './path-svg.ts';

const knowledge = await loadKnowledge();
const book = await loadRules(knowledge);

function pathOf(answers: Record<string, string | string[]>) {
  return decisionPath(knowledge, book, advise(knowledge, book, answers, '2026-11-22'));
}

const reportOf = (text: string): Report => ({
  title: text,
  sections: [
    {
      heading: text,
      parts: [
        { kind: 'text', text },
        { kind: 'list', items: [text] },
        { kind: 'commands', lines: [text] },
        { kind: 'table', header: ['a', 'b'], rows: [[text, text]] },
      ],
    },
    { heading: 'Only there', parts: [], onlyOn: 'terminal' },
  ],
});

/** Tags of a page in order; throws where a tag is left open or closed twice. A check of form, no parser of HTML. */
function expectWellFormed(markup: string): void {
  const open: string[] = [];
  for (const [, closing, name = '', selfClosing] of markup.matchAll(
    /<(\/?)([a-z][a-z0-9]*)(?:\s[^<>]*?)?(\/?)>/g,
  )) {
    if (selfClosing || name === 'meta') continue;
    if (!closing) open.push(name);
    else assert.equal(open.pop(), name);
  }
  assert.deepEqual(open, []);
}

test('HTML: no text becomes markup, the page is well formed, and nothing is loaded or run', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.constantFrom('<script>alert(1)</script>', '"><img src=x>', '&lt;', "'")),
      (text) => {
        const page = reportHtml(reportOf(text));
        expectWellFormed(page);
        assert.doesNotMatch(page, /<(script|img|link|iframe|object|embed)/i);
        assert.ok(page.includes(escapeMarkup(text)));
        assert.doesNotMatch(page, /Only there/);
      },
    ),
  );
});

test('Markdown: a table keeps its number of cells and a block of commands its end, whatever they hold', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (text) => {
      const lines = reportMarkdown(reportOf(text)).split('\n');
      const at = lines.indexOf('| a | b |');
      const cells = (lines[at + 2] ?? '').replaceAll(/\\[\\|]/g, '').split('|').length;
      assert.equal(cells, 4);
      const fences = lines.filter((line) => /^`{3,}/.test(line));
      assert.ok(fences.length >= 2);
      const [first = ''] = fences;
      assert.equal(fences.at(-1), first.replace('sh', ''));
    }),
  );
});

test('the condition under which a system runs somewhere is told where it comes first', () => {
  const answers = { platform: ['on-premises'], compliance: 'strict', operator: 'community' };
  const advice = advise(knowledge, book, answers, '2026-11-22');
  const brief = adviceBrief({
    knowledge,
    book,
    advice,
    whatIfs: [],
    path: decisionPath(knowledge, book, advice),
    costs: [],
  });
  const why = brief.sections.find(({ heading }) => heading === 'Why Bottlerocket, and why not');
  const items = why?.parts.flatMap((part) => (part.kind === 'list' ? part.items : [])) ?? [];
  assert.ok(items.some((item) => /^offered for eks, on-premises: .*VMware/.test(item)));
});

test('contradictions are those of every platform of the answers, and each is told once', () => {
  const of = (platform: string[]) =>
    contradictionsOf(knowledge, advise(knowledge, book, { platform }, '2026-11-22'))
      .filter(({ system }) => system === 'Ubuntu')
      .map(({ fact, conflict }) => `${fact.key}: ${conflict.value}`);
  const [there, both] = [of(['aks']), of(['gke', 'aks'])];
  assert.ok(there.length > of(['gke']).length);
  assert.deepEqual([...both].sort(), [...there].sort());
});

test('the decision path: each answer is a step, each system leaves once, and the end is the first place', () => {
  const path = pathOf({ spread: 'several', platform: ['aks'], purpose: 'general' });
  assert.deepEqual(
    path.steps.map(({ answer }) => answer),
    ['several clouds, or clouds and on premises', 'Azure Kubernetes Service', 'general purpose'],
  );
  const gone = [...path.outFirst, ...path.steps.flatMap(({ out }) => out)];
  assert.equal(new Set(gone).size, gone.length);
  assert.equal(path.all - gone.length, path.steps.at(-1)?.left);
  assert.deepEqual(path.first, ['Ubuntu']);
});

test('both drawings have every step and the end; the SVG is well formed and speaks', () => {
  const path = pathOf({ spread: 'one', compliance: 'strict', platform: ['aks'] });
  const mermaid = pathMermaid(path);
  assert.match(mermaid, /^flowchart TD\n {2}all\["16 systems on 2026-11-22"\]\n/);
  assert.equal(mermaid.split('\n').filter((line) => line.includes('{{')).length, path.steps.length);
  assert.match(mermaid, /q3 --> first\(\["Azure Container Linux"\]\)$/);
  const svg = pathSvg(path);
  expectWellFormed(svg);
  assert.equal(svg.match(/<rect /g)?.length, path.steps.length + 2);
  assert.match(
    svg,
    /aria-label="Decision path on 2026-11-22: 16 systems\. .* First: Azure Container Linux\."/,
  );
  // No line of text is wider than its box, by the width that is reckoned with.
  for (const [, text = ''] of svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g))
    assert.ok(text.length <= 60, text);
});
