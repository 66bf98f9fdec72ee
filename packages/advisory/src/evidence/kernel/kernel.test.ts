import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import type { Inventory } from '../../model/index.ts';
import { explainCompiledKernel, proposeKernelPredicates } from '../index.ts';
import { type BuildCondition, formatCondition, isOff, parseCondition } from './condition.ts';
import { formatKernelMap, kernelMapFor, parseKernelMap } from './kernel-map.ts';
import { judgeKernelChange } from './kernel-verdict.ts';
import { makeKernelMap } from './make-kernel-map.ts';

const tree: Readonly<Record<string, string>> = {
  Kbuild: 'obj-y += drivers/ fs/ net/\nobj-$(CONFIG_RUST) += rust/\n',
  'arch/x86/Makefile': 'drivers-$(CONFIG_PCI) += arch/x86/pci/\n',
  'arch/x86/pci/Makefile': 'obj-y := common.o\n',
  'arch/x86/pci/common.c': '',
  'fs/Makefile':
    'obj-y := open.o\nobj-$(CONFIG_F2FS_FS) += f2fs/\nifdef CONFIG_QUOTA\nobj-y += quota.o\nelse\nobj-y += noquota.o\nendif\n',
  'fs/open.c': '',
  'fs/quota.c': '',
  'fs/noquota.c': '',
  'fs/f2fs/Makefile':
    'obj-$(CONFIG_F2FS_FS) += f2fs.o\nf2fs-y := inode.o \\\n  super.o\nf2fs-$(CONFIG_F2FS_FS_XATTR) += xattr.o\n',
  'fs/f2fs/inode.c': '#include "f2fs.h"\n#include <linux/fs.h>\n',
  'fs/f2fs/f2fs.h': '#include "segment.h"\n',
  'fs/f2fs/segment.h': '',
  'include/linux/fs.h': '',
  'fs/f2fs/super.c': '',
  'fs/f2fs/xattr.c': '',
  'net/Makefile': 'obj-$(CONFIG_INET) += ipv4/\n',
  'net/ipv4/Makefile': 'obj-$(CONFIG_INET_ESP) += esp4.o\nobj-$(CONFIG_A)$(CONFIG_B) += odd.o\n',
  'net/ipv4/esp4.c': '#include "common.h"\n',
  'net/ipv4/common.h': '',
  'drivers/lost.c': '#include "lost.h"\n',
  'drivers/lost.h': '',
  'net/ipv4/odd.c': '',
  'drivers/Makefile': 'obj-$(CONFIG_SCSI) += scsi/\nobj-$(CONFIG_GPU) += gpu/\nobj-y += char/\n',
  'drivers/scsi/Makefile': 'obj-$(CONFIG_SCSI_ESP) += esp_scsi.o\n',
  'drivers/scsi/esp_scsi.c': '#include "../../net/ipv4/common.h"\n',
  'drivers/char/Makefile': 'obj-$(CONFIG_IPMI_SSIF) += ipmi_ssif.o\nobj-$(CONFIG_SSIF_BMC) += ssif_bmc.o\n',
  'drivers/char/ipmi_ssif.c': '',
  'drivers/char/ssif_bmc.c': '',
  'drivers/gpu/Makefile':
    'include $(src)/list.mk\nFILES = a.o b.o\nsub-y += $(addprefix core/,$(FILES))\nobj-$(CONFIG_GPU) += sub.o\nobj-y += $(wildcard x*.o)\n',
  'drivers/gpu/list.mk': 'sub-$(CONFIG_GPU_EXTRA) += extra.o\n',
  'drivers/gpu/core/a.c': '',
  'drivers/gpu/core/b.c': '',
  'drivers/gpu/extra.c': '',
};
const files = makeKernelMap(
  { read: (path) => tree[path], exists: (path) => path in tree, list: () => Object.keys(tree) },
  'x86',
);
const map = parseKernelMap(formatKernelMap({ version: '6.12.117', architecture: 'x86', files }));

test('makeKernelMap finds for each file the symbols it needs, through folders, parts, lists and includes', () => {
  const written = Object.fromEntries(
    [...map.files].map(([path, condition]) => [path, formatCondition(condition)]),
  );
  assert.deepEqual(written, {
    'arch/x86/pci/common.c': 'PCI',
    'drivers/char/ipmi_ssif.c': 'IPMI_SSIF',
    'drivers/char/ssif_bmc.c': 'SSIF_BMC',
    'drivers/gpu/core/a.c': 'GPU',
    'drivers/gpu/core/b.c': 'GPU',
    'drivers/gpu/extra.c': 'GPU&GPU_EXTRA',
    'drivers/scsi/esp_scsi.c': 'SCSI&SCSI_ESP',
    'drivers/lost.h': '?',
    'fs/f2fs/f2fs.h': 'F2FS_FS',
    'fs/f2fs/inode.c': 'F2FS_FS',
    'fs/f2fs/segment.h': 'F2FS_FS',
    'fs/f2fs/super.c': 'F2FS_FS',
    'fs/f2fs/xattr.c': 'F2FS_FS&F2FS_FS_XATTR',
    'fs/noquota.c': '?',
    'fs/open.c': 'y',
    'fs/quota.c': 'QUOTA',
    'net/ipv4/common.h': 'INET&INET_ESP|SCSI&SCSI_ESP',
    'net/ipv4/esp4.c': 'INET&INET_ESP',
    'net/ipv4/odd.c': 'A&INET|B&INET',
  });
});

const config = { CONFIG_64BIT: 'y', CONFIG_INET: 'y', CONFIG_INET_ESP: 'm', CONFIG_IPMI_SSIF: 'm' };
const judge = (subject: string, given?: readonly string[]) =>
  judgeKernelChange({ subject, ...(given ? { files: given } : {}) }, 'amd64', config, map);

test('a change is off when every file of it needs a symbol that is off', () => {
  assert.deepEqual(judge('f2fs: fix overflow').symbols, ['CONFIG_F2FS_FS']);
  assert.equal(judge('anything', ['fs/f2fs/inode.c', 'drivers/scsi/esp_scsi.c']).state, 'off');
  assert.equal(judge('anything', ['fs/f2fs/inode.c', 'fs/f2fs/segment.h', 'fs/f2fs/Kconfig']).state, 'off');
  assert.equal(judge('anything', ['fs/f2fs/inode.c', 'net/ipv4/common.h']).state, 'unknown');
  assert.equal(judge('anything', ['fs/f2fs/inode.c', 'net/ipv4/esp4.c']).state, 'unknown');
  assert.equal(judge('anything', ['net/ipv4/esp4.c']).state, 'on');
});

test('what cannot be read, or is not in the map, is never off', () => {
  assert.equal(judge('x', ['fs/noquota.c']).state, 'unknown');
  assert.equal(judge('x', ['include/linux/f2fs.h']).state, 'unknown');
  assert.equal(judge('x', ['fs/f2fs/inode.c', 'include/linux/fs.h']).state, 'unknown');
  assert.equal(judge('Fix a crash').state, 'unknown');
  assert.equal(judge('').state, 'unknown');
});

test('names that fit elsewhere too do not decide: esp is IPsec, ssif is two drivers', () => {
  assert.notEqual(judge('esp: do not unref managed frag pages in esp_ssg_unref()').state, 'off');
  assert.equal(judge('ipmi:ssif: Clean up kthread on errors').state, 'unknown');
  assert.equal(judge('char: ssif_bmc: fix leak').state, 'off');
});

test('words that are only by chance the name of a file somewhere do not decide', () => {
  const shipped = kernelMapFor('6.12.117');
  assert.ok(shipped);
  // None of the drivers that have such a file; what the changes really touched is compiled.
  const cloud: Readonly<Record<string, string>> = {
    ...{ CONFIG_64BIT: 'y', CONFIG_NET: 'y', CONFIG_INET: 'y', CONFIG_NETDEVICES: 'y', CONFIG_PHYLIB: 'm' },
    ...{
      CONFIG_XFS_FS: 'm',
      CONFIG_XFS_QUOTA: 'y',
      CONFIG_NETFILTER: 'y',
      CONFIG_BRIDGE: 'm',
      CONFIG_BRIDGE_NETFILTER: 'm',
    },
  };
  const state = (subject: string, architecture = 'amd64') =>
    judgeKernelChange({ subject }, architecture, cloud, shipped).state;
  // net/core, drivers/net/phy/mdio_bus.c, fs/xfs/xfs_dquot.c, net/bridge/br_netfilter_hooks.c, kernel/power.
  for (const subject of [
    'netdev: prevent accessing NAPI instances from another namespace',
    'net: neigh: decrement the family specific qlen',
    'net: skb: fix a leak',
    'net: tc: fix a leak',
    'phy: mdio: fix memory leak',
    'mdio: fix a leak',
    'xfs: quota: fix a leak',
    'netfilter: bridge: replace physindev with physinif in nf_bridge_info',
    'PM: hibernate: Fix crash when freeing invalid crypto compressor',
    'accept: fix a leak',
  ])
    assert.equal(state(subject), 'unknown', subject);
  for (const subject of [
    'xhci: fix',
    'jfs: fix',
    'net: stmmac: fix',
    'net: ethernet: mtk_eth_soc: fix',
    'xfs: scrub: fix',
  ])
    assert.equal(state(subject), 'off', subject);
  // arch/arm64 compiles arch/arm/xen and shared virt/kvm/arm.
  assert.notEqual(state('arm/xen: Fix some refcount leaks', 'arm64'), 'elsewhere');
  assert.notEqual(state('KVM: arm/arm64: vgic: fix', 'arm64'), 'elsewhere');
  assert.equal(state('arm/xen: Fix some refcount leaks'), 'elsewhere');
});

test('changes for other architectures are elsewhere', () => {
  assert.deepEqual(judge('[arm64] KVM: arm64: Transfer the hyp stack pages').architectures, ['arm64']);
  assert.equal(judge('KVM: s390: fix gmap').state, 'elsewhere');
  assert.equal(judge('x', ['arch/riscv/kernel/trap.c']).state, 'elsewhere');
  assert.equal(judge('[amd64] KVM: x86: fix').state, 'unknown');
});

test('proposeKernelPredicates proposes what can be asked again, and nothing without a config or a map', () => {
  const provenance = { source: 'kernel-config', locator: 'test' } as const;
  const inventory = (release: string): Inventory => ({
    format: 1,
    subject: { kind: 'root', name: 'x', architecture: 'amd64', distribution: '', codename: '' },
    inputs: [],
    binaries: [],
    goPrograms: [],
    npmModules: [],
    kernel: { release, config, provenance },
    gaps: [],
  });
  const real = inventory('6.12.117+deb13-cloud-amd64');
  assert.deepEqual(proposeKernelPredicates({ subject: 'wifi: ath11k: fix' }, real), [
    {
      predicate: { kind: 'config-off', symbols: ['CONFIG_ATH11K'] },
      justification: 'vulnerable_code_not_present',
    },
  ]);
  assert.deepEqual(proposeKernelPredicates({ subject: 'wifi: ath11k: fix' }, inventory('5.10.0-1')), []);
  assert.equal(
    explainCompiledKernel({ subject: '', files: ['kernel/fork.c'] }, real),
    'all 1 files of the fix are compiled into kernel 6.12.117+deb13-cloud-amd64: kernel/fork.c',
  );
  assert.equal(explainCompiledKernel({ subject: 'wifi: ath11k: fix' }, real), undefined);
  assert.equal(
    explainCompiledKernel({ subject: '', files: ['kernel/fork.c'] }, inventory('5.10.0-1')),
    undefined,
  );
  const { kernel: _kernel, ...rest } = real;
  assert.deepEqual(proposeKernelPredicates({ subject: 'wifi: ath11k: fix' }, rest), []);
});

test('the map in the repository is whole: known files need what they are known to need', () => {
  const shipped = kernelMapFor('6.12.117+deb13-cloud-amd64');
  assert.ok(shipped && shipped.files.size > 25_000);
  const of = (path: string) => formatCondition(shipped.files.get(path) ?? []);
  assert.equal(of('fs/f2fs/inode.c'), 'F2FS_FS');
  assert.equal(of('kernel/fork.c'), 'y');
  assert.equal(of('net/netfilter/nf_tables_api.c'), 'NET&NETFILTER&NF_TABLES');
  assert.equal(of('drivers/gpu/drm/amd/display/amdgpu_dm/amdgpu_dm.c').includes('DRM_AMD_DC'), true);
});

test('a map of another architecture decides nothing but what is for yet another one', () => {
  const onArm = (subject: string) => judgeKernelChange({ subject }, 'arm64', config, map).state;
  assert.equal(onArm('f2fs: fix overflow'), 'unknown');
  assert.equal(onArm('[arm64] KVM: arm64: fix'), 'unknown');
  assert.equal(onArm('[s390x] mm: fix'), 'elsewhere');
});

test('any subject and any Makefile is read in bounded time, without an exception', () => {
  const piece = fc.constantFrom(
    'wifi',
    ': ',
    '/',
    'drm',
    '[arm64] ',
    ' - ',
    '\0',
    'a'.repeat(200),
    '$(',
    ')',
    'obj-',
    'y',
    ' += ',
    'f2fs.o',
    '\\\n',
    '\n',
    'ifdef CONFIG_',
    '#',
  );
  const started = performance.now();
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
      const text = pieces.join('');
      const verdict = judge(text);
      assert.ok(verdict.state !== 'off' || (verdict.symbols ?? []).length > 0);
      const hostile: Readonly<Record<string, string>> = {
        Kbuild: `obj-y += fs/\n${text}`,
        'fs/Makefile': text,
        'fs/f2fs.c': '',
      };
      makeKernelMap(
        {
          read: (path) => hostile[path],
          exists: (path) => path in hostile,
          list: () => Object.keys(hostile),
        },
        'x86',
      );
    }),
    { numRuns: 300 },
  );
  assert.ok(performance.now() - started < 20_000);
});

test('a map that is none is refused', () => {
  assert.throws(
    () => parseKernelMap('hello'),
    (error) => error instanceof PlinthError && error.code === 'advisory/kernel-map',
  );
});

test('conditions survive being written, and a condition that is off stays off when more symbols go off', () => {
  const condition: fc.Arbitrary<BuildCondition> = fc.array(
    fc.uniqueArray(fc.constantFrom('A', 'B', 'C', '?'), { maxLength: 3 }),
    { minLength: 1, maxLength: 3 },
  );
  fc.assert(
    fc.property(condition, fc.uniqueArray(fc.constantFrom('A', 'B', 'C')), (written, on) => {
      const normal = written.map((symbols) => [...symbols].sort());
      assert.deepEqual(parseCondition(formatCondition(normal)), normal);
      if (isOff(normal, (symbol) => on.some((each) => each === symbol))) {
        assert.ok(isOff(normal, (symbol) => on.slice(1).some((each) => each === symbol)));
        assert.ok(normal.every((symbols) => symbols.some((symbol) => symbol !== '?')));
      }
    }),
  );
});
