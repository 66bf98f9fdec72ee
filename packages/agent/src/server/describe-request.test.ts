import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, getOption } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import * as contract from '@plinth/api';
import {
  audited,
  BootstrapRequestSchema,
  GetBootReportResponseSchema,
  InvitationSchema,
  JoinRequestSchema,
  NodeRole,
  PutRevocationsRequestSchema,
  ReadAuditLogRequestSchema,
  RestoreEtcdRequestSchema,
} from '@plinth/api';
import fc from 'fast-check';
import { describeRequest } from './describe-request.ts';

test('numbers, words of a list, booleans and times are told', () => {
  const request = create(ReadAuditLogRequestSchema, {
    ...{ fromSequence: 7n, follow: true, since: timestampFromMs(Date.UTC(2026, 10, 22)) },
  });
  assert.equal(
    describeRequest(ReadAuditLogRequestSchema, request),
    'from_sequence=7 since=2026-11-22T00:00:00.000Z follow=true',
  );
  const report = create(GetBootReportResponseSchema, { phases: [{ duration: durationFromMs(1500) }] });
  assert.equal(describeRequest(GetBootReportResponseSchema, report), 'phases=1 items');
});

test('a text is told where the contract says so, else its size; bytes never', () => {
  const snapshot = create(RestoreEtcdRequestSchema, { confirm: 'n1', chunk: new Uint8Array(1000) });
  assert.equal(describeRequest(RestoreEtcdRequestSchema, snapshot), 'confirm=n1 chunk=1000 B');
  const request = create(BootstrapRequestSchema, {
    ...{ kubernetesVersion: '1.37.1', cluster: { name: 'demo', podNetwork: '10.244.0.0/16' } },
  });
  assert.equal(
    describeRequest(BootstrapRequestSchema, request),
    'cluster={name=demo pod_network=13 B} kubernetes_version=1.37.1',
  );
  const list = create(PutRevocationsRequestSchema, { revocations: { list: new Uint8Array(9) } });
  assert.equal(describeRequest(PutRevocationsRequestSchema, list), 'revocations={list=9 B}');
});

test('secrets of an invitation are hidden', () => {
  const invitation = create(InvitationSchema, {
    ...{
      nodeName: 'w1',
      role: NodeRole.WORKER,
      token: 'abcdef.0123456789abcdef',
      certificateKey: 'ab'.repeat(32),
    },
  });
  const said = describeRequest(JoinRequestSchema, create(JoinRequestSchema, { invitation }));
  assert.match(said, /node_name=w1 role=NODE_ROLE_WORKER token=hidden certificate_key=hidden/);
});

test('a text cannot pass for other arguments', () => {
  const said = (confirm: string) =>
    describeRequest(RestoreEtcdRequestSchema, create(RestoreEtcdRequestSchema, { confirm }));
  assert.equal(said('n1 override=n1'), 'confirm="n1 override=n1"');
  assert.equal(said('a} b={'), 'confirm="a} b={"');
  assert.equal(said('x=y'), 'confirm="x=y"');
  assert.equal(said('a"b\n'), String.raw`confirm="a\"b\n"`);
  assert.equal(said('registry.example:5000/a/b@sha256:0'), 'confirm=registry.example:5000/a/b@sha256:0');
});

test('whatever a request holds, its description is short and without line breaks of its own', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 2000 }),
      fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }),
      (confirm, seconds) => {
        const request = create(RestoreEtcdRequestSchema, { confirm });
        assert.ok(describeRequest(RestoreEtcdRequestSchema, request).length <= 240);
        const since = { seconds, nanos: 0 };
        const log = create(ReadAuditLogRequestSchema, { since });
        assert.ok(describeRequest(ReadAuditLogRequestSchema, log).length <= 240);
      },
    ),
  );
});

test('no field that may be secret by its name is told', () => {
  const suspicious = /password|secret|token|private|credential|kubeconfig|(^|_)key$/;
  const schemas = Object.values(contract).filter(
    (each): each is typeof JoinRequestSchema =>
      typeof each === 'object' && 'kind' in each && each.kind === 'message',
  );
  assert.ok(schemas.length > 100);
  for (const { fields, name } of schemas) {
    for (const field of fields) {
      const marked = getOption(field, audited) && !field.proto.options?.debugRedact;
      if (suspicious.test(field.name)) assert.equal(marked, false, `${name}.${field.name}`);
    }
  }
});
