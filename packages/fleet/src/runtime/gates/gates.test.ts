import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import { openKubeConnection } from '@plinth/kube';
import { gateSpec } from '../../objects/index.ts';
import { judgeSamples, openAskGate } from './ask-gate.ts';
import { settle } from './run-gates.ts';

const { signal } = new AbortController();
const vector = (...values: string[]) => ({
  status: 'success',
  data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [1, value] })) },
});

suite('gates', () => {
  test('every sample has to be inside the thresholds; what cannot be told is unknown, never a pass', () => {
    const states = [
      judgeSamples(vector('0.5', '0.9'), 1, undefined),
      judgeSamples(vector('0.5', '1'), 1, undefined),
      judgeSamples(vector('2'), undefined, 1),
      judgeSamples(vector(), 1, undefined),
      judgeSamples(vector('NaN'), 1, undefined),
      judgeSamples(vector('0'), undefined, undefined),
      judgeSamples({ status: 'error' }, 1, undefined),
      judgeSamples(null, 1, undefined),
      judgeSamples({ status: 'success', data: { resultType: 'scalar', result: [1, '0.2'] } }, 1, undefined),
    ].map(({ state }) => state);
    const [pass, fail, unknown] = ['pass', 'fail', 'unknown'];
    assert.deepEqual(states, [pass, fail, pass, unknown, unknown, unknown, unknown, unknown, pass]);
  });

  test('HTTP and Prometheus are asked; nobody who answers is unknown', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/ok') response.writeHead(204).end();
      else if (request.url?.startsWith('/prom/api/v1/query?query=up'))
        response.end(JSON.stringify(vector('1')));
      else response.writeHead(302, { location: '/ok' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    // Nobody is there: gates that ask an API server cannot be asked.
    using connection = openKubeConnection({
      ...{ server: new URL('https://127.0.0.1:1'), authorityPem: undefined, serverName: undefined },
      ...{ certificatePem: undefined, keyPem: undefined, token: undefined, isUnchecked: false },
      tokenFile: undefined,
    });
    const ask = openAskGate({ connection, namespace: 'gates', nowMs: Date.now });
    const stored = { name: 'g', uid: 'u', resourceVersion: '1', generation: 1, createdAtMs: 0 };
    const state = async (spec: object) =>
      (await ask({ ...stored, spec: gateSpec.parse(spec), status: undefined }, signal)).state;
    try {
      assert.equal(await state({ http: { url: `${base}/ok`, status: 204 } }), 'pass');
      assert.equal(await state({ http: { url: `${base}/ok` } }), 'fail');
      assert.equal(
        await state({ http: { url: `${base}/elsewhere` } }),
        'unknown',
        'a redirect leads to another server',
      );
      assert.equal(await state({ promql: { url: `${base}/prom`, query: 'up', above: 0 } }), 'pass');
      assert.equal(
        await state({ cel: { resource: 'pods', name: 'a', expression: 'true' } }),
        'unknown',
        'no API server',
      );
      assert.equal(await state({ job: { configMap: 'a' } }), 'unknown', 'no API server');
    } finally {
      server.closeAllConnections();
      server.close();
    }
    assert.equal(await state({ http: { url: `${base}/ok` } }), 'unknown');
  });

  test('a failure counts once it has lasted; what nobody can tell counts at once', () => {
    const before = { gate: 'g', state: 'pass', reason: { code: 'c', text: 't' }, atMs: 0 } as const;
    const answer = (state: 'fail' | 'unknown') => ({ state, reason: { code: 'c', text: 't' } });
    assert.equal(settle(answer('fail'), before, 0, 60_000, 59_999).state, 'pass');
    assert.equal(settle(answer('fail'), before, 0, 60_000, 60_000).state, 'fail');
    assert.equal(settle(answer('fail'), undefined, 0, 60_000, 0).state, 'fail', 'it never passed');
    assert.equal(settle(answer('unknown'), before, 0, 60_000, 0).state, 'unknown');
  });
});
