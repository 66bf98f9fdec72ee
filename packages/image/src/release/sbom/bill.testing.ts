import type { BillInputs } from './bill.ts';

const digest = (digit: string, length: number) => digit.repeat(length);

/** A bill with one of everything that makes SBOMs hard: epochs, "+", "~", Go with and without modules, no files. */
export function sampleBillInputs(): BillInputs {
  const locked = (name: string, version: string) => ({
    name,
    version,
    source: name,
    sourceVersion: version,
    archive: 'debian' as const,
    suite: 'trixie',
    path: `pool/main/${name}.deb`,
    sizeBytes: 1,
    sha256: digest('a', 64),
    why: 'for a test',
  });
  const file = (path: string, owner: string) => ({
    path,
    owner,
    kind: 'file' as const,
    mode: 0o755,
    sizeBytes: 3,
    sha256: digest('b', 64),
    sha1: digest('c', 40),
  });
  return {
    name: 'plinth',
    version: '1.4.0~rc1',
    prettyName: 'Plinth 1.4.0~rc1',
    epochSeconds: 1_763_700_000,
    licences: new Map([['crun', 'GPL-2.0-only AND LGPL-2.1-only']]),
    packages: [
      locked('libstdc++6', '1:14.2.0-19+b1'),
      { ...locked('containerd', '1.7.24~ds1-6+b4'), staticBuiltUsing: ['golang-1.24 (= 1.24.4-1)'] },
      locked('crun', '1.21-1'),
      locked('linux-image-6.12-cloud-amd64', '6.12.107-1'),
    ],
    tree: {
      rootDir: '/nowhere',
      entries: [
        { path: '/usr', kind: 'dir', mode: 0o755, sizeBytes: 0, owner: 'crun' },
        file('/usr/bin/containerd', 'containerd'),
        file('/usr/bin/crun', 'crun'),
        file('/usr/lib/libstdc++.so.6.0.33', 'libstdc++6'),
        file('/usr/lib/os-release', 'plinth'),
        file('/usr/lib/plinth/plinthd', 'plinth'),
        { path: '/usr/lib/link', kind: 'symlink', mode: 0o777, sizeBytes: 0, target: 'x', owner: 'plinth' },
      ],
    },
    goPrograms: new Map([
      [
        '/usr/bin/containerd',
        {
          goVersion: 'go1.24.4',
          modules: [
            { path: 'github.com/BurntSushi/toml', version: 'v1.4.0', sum: 'h1:x' },
            {
              path: 'github.com/old/fork',
              version: 'v0.1.0',
              replacedBy: { path: 'github.com/new/fork', version: 'v0.2.0+incompatible' },
            },
          ],
          settings: {},
        },
      ],
    ]),
    kernel: {
      release: '6.12.107+deb13-cloud-amd64',
      package: 'linux-image-6.12-cloud-amd64',
      sha256: digest('d', 64),
    },
    agent: {
      version: '0.1.0',
      path: '/usr/lib/plinth/plinthd',
      contents: {
        runtime: {
          name: 'node',
          version: '26.10.0',
          components: { openssl: '3.5.8', modules: '147', nghttp3: '' },
        },
        modules: [
          { name: '@bufbuild/protobuf', version: '2.17.0', license: '(Apache-2.0 AND BSD-3-Clause)' },
          { name: 'odd', version: '1.0.0', license: 'SEE LICENSE IN COPYING' },
        ],
      },
    },
  };
}
