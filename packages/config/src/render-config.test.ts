import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderConfig } from './render-config.ts';
import { ACCESS, configs, documents, exampleConfig, MACHINE, parsed } from './testing/configs.ts';

test('equal configs give equal files: sorted, each once, in memory, whole lines', () => {
  fc.assert(
    fc.property(configs, (config) => {
      const files = renderConfig(config);
      assert.deepEqual(renderConfig(structuredClone(config)), files);
      const paths = files.map(({ path }) => path);
      assert.deepEqual(paths, [...new Set(paths)].sort());
      for (const { path, mode, text } of files) {
        assert.equal(posix.normalize(path), path);
        // Both are in memory: what a config rendered is gone with the boot it was rendered in.
        assert.match(path, /^\/(?:etc|run)\//);
        assert.ok([0o600, 0o644].includes(mode), `${path} ${mode.toString(8)}`);
        assert.ok(text === '' || text.endsWith('\n'), path);
        assert.doesNotMatch(text, /undefined|null|NaN|\[object/, path);
      }
    }),
  );
});

test('every file that a bare config renders is there with any other config too', () => {
  const bare = renderConfig(parsed(documents(MACHINE, ACCESS))).map(({ path }) => path);
  const full = new Set(renderConfig(exampleConfig()).map(({ path }) => path));
  assert.deepEqual(
    bare.filter((path) => !full.has(path)),
    [],
  );
});
