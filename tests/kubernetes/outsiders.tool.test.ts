import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findKubernetesPrograms, PATIENCE_MS, startControlPlane } from '@plinth/image/testing';
import { openToolbox } from '@plinth/toolbox';

// A client that Plinth did not compile, Debian's kubectl, works with the API server that Plinth did.

for (const kubernetes of await findKubernetesPrograms()) {
  const { minor, skip, version } = kubernetes;

  test(`Debian's kubectl works with Kubernetes ${minor}`, { skip, timeout: 3 * PATIENCE_MS }, async () => {
    const outsiders = await openToolbox({ name: 'outsiders' });
    await using plane = await startControlPlane(kubernetes);
    const binds = [{ host: plane.dir, inside: '/cluster', readOnly: true }];
    const kubectl = async (input: string | undefined, ...args: string[]) => {
      const options = { binds, network: true, ...(input !== undefined && { input }) };
      const all = ['--kubeconfig=/cluster/super-admin.conf', ...args];
      return (await outsiders.run('kubectl', all, options)).stdout.toString();
    };

    const { clientVersion, serverVersion } = JSON.parse(await kubectl(undefined, 'version', '-o=json'));
    assert.equal(serverVersion.gitVersion, `v${version}`);
    assert.notEqual(clientVersion.gitVersion, serverVersion.gitVersion, 'it is not the one of the layer');

    const settings = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'proof' },
      data: { word: 'one' },
    };
    const object = JSON.stringify(settings);
    assert.match(
      await kubectl(object, 'apply', '--server-side', '-f', '-'),
      /configmap\/proof serverside-applied/,
    );
    await kubectl(undefined, 'patch', 'configmap', 'proof', '--patch={"data":{"word":"two"}}');
    assert.equal(await kubectl(undefined, 'get', 'configmap', 'proof', '-o=jsonpath={.data.word}'), 'two');
    assert.match(await kubectl(undefined, 'explain', 'pod.spec.containers'), /FIELD: containers/);
    assert.equal((await kubectl(undefined, 'auth', 'can-i', '*', '*')).trim(), 'yes');
    assert.match(await kubectl(undefined, 'delete', 'configmap', 'proof'), /deleted/);
    await assert.rejects(kubectl(undefined, 'get', 'configmap', 'proof'), /NotFound/);
  });
}
