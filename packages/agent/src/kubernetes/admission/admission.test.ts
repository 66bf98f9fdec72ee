import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AdmissionRule,
  type Enrolment,
  formatVerification,
  parseEnrolment,
  VERIFICATION_SECRET,
} from '@plinth/attest';
import { crookedBoots, paperTpm, recordedBoot } from '@plinth/attest/testing';
import { eventually } from '@plinth/host/testing';
import { admittedIn } from '../approve/pending-requests.ts';
import { type Admissions, openAdmission } from './admission.ts';
import { askNode } from './ask-node.ts';
import { keepEnrolment } from './enrolment-store.ts';
import { memoryKube } from './testing/memory-kube.ts';
import { type PaperNode, servePaperNode } from './testing/paper-node.ts';

// A control plane that decides about certificates, and nodes that are asked over TLS what they booted.

const boot = recordedBoot();
const SECRET = `/api/v1/namespaces/kube-system/secrets/${VERIFICATION_SECRET}`;

interface Given {
  readonly rule?: AdmissionRule | 'off';
  /** What the cluster knows of its TPM; default: its enrolment. */
  readonly enrolment?: Enrolment | 'none';
  /** Clock of a question. */
  readonly askedMs?: () => number;
}

/** The control plane's part, with a clock that stands. */
async function controlPlane(
  paper: PaperNode,
  { rule = 'required', enrolment, askedMs = () => 0 }: Given = {},
) {
  const { client, objects } = memoryKube();
  const state = { nowMs: 0, away: false };
  const said: string[] = [];
  const records: Record<string, unknown>[] = [];
  const setRule = (wanted: AdmissionRule | 'off') => {
    objects.delete(SECRET);
    if (wanted === 'off') return;
    const texts = formatVerification({ rule: wanted, references: [boot.reference], ...paper.verifier });
    const data = Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    objects.set(SECRET, { metadata: { name: VERIFICATION_SECRET }, data: Object.fromEntries(data) });
  };
  setRule(rule);
  if (enrolment !== 'none') await keepEnrolment(client, enrolment ?? paper.enrolment);
  const admission = openAdmission({
    ...{ client, nowMs: () => state.nowMs, say: (line) => said.push(line) },
    audit: (record) => records.push({ ...record }),
    ask: (node, by, known) =>
      askNode(node, by, known, { port: state.away ? 1 : paper.port, timeoutMs: 120_000, nowMs: askedMs }),
  });
  const stored = (): Enrolment | undefined => {
    const object = objects.get(`/api/v1/namespaces/kube-system/configmaps/plinth-tpm-${paper.node.nodeName}`);
    const data = object?.['data'];
    if (typeof data !== 'object' || data === null || !('enrolment.json' in data)) return undefined;
    return parseEnrolment(String(data['enrolment.json']), 'the book');
  };
  return { admission, objects, state, said, records, stored, setRule };
}

/** Rounds of the approver, until the node was asked. */
async function admitted(admission: Admissions, { node }: PaperNode) {
  return eventually(async () => {
    await admission.refresh();
    const now = admission.admit(node);
    assert.doesNotMatch(now.reason, /is asked/);
    return now;
  });
}

test('a node that booted a release gets its certificate after it was asked, and is asked anew for a later one', async () => {
  await using paper = await servePaperNode('node-2');
  const { admission, records, stored, state } = await controlPlane(paper);
  await admission.refresh();
  assert.deepEqual(admission.admit(paper.node), { state: 'wait', reason: 'its TPM is asked what it booted' });
  assert.deepEqual(await admitted(admission, paper), { state: 'pass', reason: '' });
  assert.equal(paper.quotes, 1);
  const [{ time, ...record } = {}] = records;
  assert.equal(typeof time, 'string');
  assert.deepEqual(record, {
    ...{ event: 'attestation.judged', rule: 'required', verdict: 'pass', reason: '' },
    ...{ node: 'node-2', nodeId: paper.node.nodeId, release: '0.1.0', resetCount: 1 },
  });
  assert.equal(stored()?.newestVersion, '0.1.0', 'the cluster remembers what it passed with');
  state.nowMs = 119_999;
  assert.equal(admission.admit(paper.node).state, 'pass');
  assert.equal(paper.quotes, 1);
  state.nowMs = 120_000;
  assert.equal(admission.admit(paper.node).state, 'wait', 'a proof of two minutes ago is none');
  assert.equal((await admitted(admission, paper)).state, 'pass');
  assert.equal(paper.quotes, 2);
});

test('a cluster that asks for nothing admits everybody, and one that only wants reports does too, and tells', async () => {
  await using paper = await servePaperNode('node-2');
  paper.parts = crookedBoots()[0]?.parts ?? boot;
  const off = await controlPlane(paper, { rule: 'off' });
  await off.admission.refresh();
  assert.equal(off.admission.admit(paper.node).state, 'open');
  assert.equal(paper.quotes, 0);
  const report = await controlPlane(paper, { rule: 'report' });
  await report.admission.refresh();
  assert.equal(report.admission.admit(paper.node).state, 'open');
  await eventually(() => assert.equal(report.records[0]?.['verdict'], 'fail'));
  assert.match(report.said.join('\n'), /node-2 .*: fail: .*PCR 4/);
  assert.equal(report.admission.admit(paper.node).state, 'open');
  await report.admission.invite(paper.node, undefined);
  report.setRule('required');
  await report.admission.refresh();
  assert.equal(report.admission.admit(paper.node).state, 'wait', 'a new rule asks anew');
  assert.equal((await admitted(report.admission, paper)).state, 'fail');
});

test('each crooked boot is denied with its reason, and names the first event that differs', async () => {
  await using paper = await servePaperNode('node-2');
  for (const { what, reason, parts } of crookedBoots()) {
    paper.parts = parts;
    const { admission, stored } = await controlPlane(paper);
    const { state, reason: told } = await admitted(admission, paper);
    assert.equal(state, 'fail', what);
    assert.ok(told.startsWith(`${reason}: `), `${what}: ${told}`);
    if (reason !== 'log-edited') assert.match(told, /first difference: PCR \d+ .+ is (missing|unexpected), /);
    const denied = admittedIn(
      { verdict: 'approve', reason: 'renewal by the node', node: paper.node },
      { state, reason: told },
    );
    assert.equal(denied.verdict, 'deny');
    assert.equal(stored()?.newestVersion, '', 'a fail changes nothing in the book');
  }
});

test("another machine's TPM, a downgrade, a late answer and another node's word are denied", async () => {
  await using paper = await servePaperNode('node-2');
  const newer = { ...paper.enrolment, newestVersion: '0.2.0' };
  const downgrade = await controlPlane(paper, { enrolment: newer });
  assert.match(
    (await admitted(downgrade.admission, paper)).reason,
    /^downgrade: it runs 0\.1\.0, .* 0\.2\.0/,
  );
  let clockMs = 0;
  const late = await controlPlane(paper, {
    askedMs: () => {
      clockMs += 31_000; // of the two looks at the clock the second is that of the answer
      return clockMs;
    },
  });
  assert.match((await admitted(late.admission, paper)).reason, /^stale: it took 31 s/);
  paper.tpm = paperTpm();
  const other = await controlPlane(paper);
  assert.match((await admitted(other.admission, paper)).reason, /^other-machine: /);
  await using liar = await servePaperNode('node-3', '0'.repeat(32));
  const told = await controlPlane(liar);
  assert.match((await admitted(told.admission, liar)).reason, /^other-node: /);
});

test('a quote that another node was asked for is not for this connection', async () => {
  await using paper = await servePaperNode('node-2');
  const { tpm } = paper;
  // It answers each question with what its TPM signed for the first one.
  let first: ReturnType<typeof tpm.quote> | undefined;
  paper.tpm = {
    ...tpm,
    quote(extraData, registers) {
      first ??= tpm.quote(extraData, registers);
      return first;
    },
  };
  const { admission, state } = await controlPlane(paper);
  assert.equal((await admitted(admission, paper)).state, 'pass');
  state.nowMs = 120_000;
  assert.match((await admitted(admission, paper)).reason, /^not-for-this-challenge: /);
});

test('who cannot be asked, or is not known, or is another identity waits: that is no verdict', async () => {
  await using paper = await servePaperNode('node-2');
  const { admission, state, records } = await controlPlane(paper);
  state.away = true;
  const away = await admitted(admission, paper);
  assert.equal(away.state, 'wait');
  assert.match(away.reason, /^Cannot ask node node-2 at 127\.0\.0\.1 what it booted: /);
  state.away = false;
  state.nowMs = 20_000;
  assert.equal((await admitted(admission, paper)).state, 'pass', 'it is asked again');
  // Somebody else answers at its address: another key than that of the invited identity.
  const meant = { ...paper.node, nodeId: '1'.repeat(32) };
  const stranger = await controlPlane(paper, { enrolment: { ...paper.enrolment, nodeId: meant.nodeId } });
  const seen = await admitted(stranger.admission, { ...paper, node: meant });
  assert.equal(seen.state, 'wait');
  assert.match(seen.reason, /its node id is [0-9a-f]{32}, expected 1{32}/);
  assert.equal(stranger.records.length, 0);
  const unknown = await controlPlane(paper, { enrolment: 'none' });
  assert.match((await admitted(unknown.admission, paper)).reason, /TPM is not known to the cluster/);
  assert.equal(records.length, 1);
});

test('rules that cannot be read give no certificate to anybody', async () => {
  await using paper = await servePaperNode('node-2');
  const { admission, objects } = await controlPlane(paper);
  const broken = Buffer.from('[]').toString('base64');
  objects.set(SECRET, { metadata: { name: 'x' }, data: { rule: broken } });
  await assert.rejects(admission.refresh(), { code: 'attest/verification-invalid' });
  await assert.rejects(admission.invite(paper.node, paper.enrolment), {
    code: 'attest/verification-invalid',
  });
});

test('an invitation is given to a node that passes, whose TPM is known from then on', async () => {
  await using paper = await servePaperNode('node-2');
  const { admission, stored, objects } = await controlPlane(paper, { enrolment: 'none' });
  const { node, enrolment } = paper;
  await assert.rejects(admission.invite(node, undefined), { code: 'attest/enrolment-needed' });
  await admission.invite(node, enrolment);
  assert.equal(stored()?.newestVersion, '0.1.0');
  await admission.invite(node, undefined);
  // Enrolled anew by somebody who may, it still may not go back.
  await admission.invite(node, { ...enrolment, newestVersion: '' });
  assert.equal(stored()?.newestVersion, '0.1.0');
  const [crooked] = crookedBoots();
  paper.parts = crooked?.parts ?? boot;
  await assert.rejects(admission.invite(node, enrolment), {
    code: 'attest/not-passed',
    message: /^Cannot invite node node-2: .*first difference: PCR 4 UKI is missing, expected [0-9a-f]{16}…/,
  });
  // The name belongs to another machine: what is known of that one stays.
  const record = { nodeId: 'ff', nodeName: 'node-2', nodeAddress: '192.0.2.2', role: 'worker' };
  const path = '/api/v1/namespaces/kube-system/configmaps/plinth-node-node-2';
  objects.clear();
  const taken = await controlPlane(paper);
  const labels = { 'plinth.dev/node-record': 'member' };
  taken.objects.set(path, { metadata: { name: 'plinth-node-node-2', labels }, data: record });
  await assert.rejects(taken.admission.invite(node, enrolment), { code: 'kubernetes/name-taken' });
  await taken.admission.forget('node-2');
  assert.equal(taken.stored(), undefined);
});

test('a thousand requests at once ask eight nodes at a time', async () => {
  await using paper = await servePaperNode('node-2');
  const { client, objects } = memoryKube();
  const texts = formatVerification({ rule: 'required', references: [boot.reference], ...paper.verifier });
  const data = Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  objects.set(SECRET, { metadata: { name: VERIFICATION_SECRET }, data: Object.fromEntries(data) });
  let atOnce = 0;
  let most = 0;
  const admission = openAdmission({
    ...{ client, nowMs: () => 0, say: () => {}, audit: () => {} },
    async ask() {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
      return { verdict: 'pass', findings: [], compared: [], notCompared: [] };
    },
  });
  const nodes = Array.from({ length: 1000 }, (_, index) => {
    const nodeId = index.toString(16).padStart(32, '0');
    return { ...paper.node, nodeId, nodeName: `n${index}` };
  });
  for (const { nodeId, nodeName } of nodes) {
    await keepEnrolment(client, { ...paper.enrolment, nodeId, nodeName });
  }
  await eventually(async () => {
    await admission.refresh();
    const waiting = nodes.filter((node) => admission.admit(node).state !== 'pass').length;
    assert.equal(waiting, 0);
  });
  assert.ok(most >= 1 && most <= 8, `${most} at once`);
});
