import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OsSpec } from '@plinth/image';
import type { MkosiImage } from './mkosi.ts';

/** Key pairs of a Plinth key folder, as mkosi sees them. */
interface KeyFiles {
  readonly key: string;
  readonly certificate: string;
}

const KEYS = '/bench-keys';

/**
 * verifiedImage is what Plinth builds, said to mkosi: the same packages asked for, EROFS with the same compression,
 * dm-verity with a signed root hash, a UKI with signed PCR values, both signed by the same keys, and plinthd, which
 * mkosi is given ready-made.
 */
export async function verifiedImage(spec: OsSpec, keysDir: string, agentPath: string): Promise<MkosiImage> {
  const boot = await keyFiles(keysDir, 'boot');
  const verity = await keyFiles(keysDir, 'verity');
  const pcr = await keyFiles(keysDir, 'pcr');
  return {
    name: 'verified',
    binds: [
      { host: keysDir, inside: KEYS, readOnly: true },
      { host: agentPath, inside: '/bench-agent', readOnly: true },
    ],
    files: {
      'mkosi.conf': lines(
        '[Content]',
        'Bootable=yes',
        'Bootloader=systemd-boot',
        'WithDocs=no',
        'CleanPackageMetadata=yes',
        'ExtraTrees=/bench-agent:/usr/lib/plinth/plinthd',
        packages(spec.packages.map(({ name }) => name)),
        '[Build]',
        // What makes Plinth's root fast to pack, see packages/image/src/root/make-root.ts; level 6 is set below.
        'Environment="SYSTEMD_REPART_MKFS_OPTIONS_EROFS=-C131072 --max-extent-bytes=131072"',
        '[Validation]',
        'SecureBoot=yes',
        'SecureBootAutoEnroll=no',
        'SecureBootSignTool=systemd-sbsign',
        `SecureBootKey=${boot.key}`,
        `SecureBootCertificate=${boot.certificate}`,
        'Verity=yes',
        `VerityKey=${verity.key}`,
        `VerityCertificate=${verity.certificate}`,
        'SignExpectedPcr=yes',
        `SignExpectedPcrKey=${pcr.key}`,
        `SignExpectedPcrCertificate=${pcr.certificate}`,
      ),
      'mkosi.repart/10-esp.conf': partition('Type=esp', ...ESP),
      'mkosi.repart/20-root.conf': partition(
        'Type=root',
        'Format=erofs',
        'CopyFiles=/',
        'Verity=data',
        'VerityMatchKey=root',
        'Minimize=best',
        'Compression=zstd',
        'CompressionLevel=6',
      ),
      'mkosi.repart/21-verity.conf': partition(
        'Type=root-verity',
        'Verity=hash',
        'VerityMatchKey=root',
        'Minimize=best',
      ),
      'mkosi.repart/22-verity-sig.conf': partition(
        'Type=root-verity-sig',
        'Verity=signature',
        'VerityMatchKey=root',
      ),
    },
  };
}

/** The line that the plain image prints on its console when containerd answers. */
export const CONTAINERD_ANSWERS = 'bench: containerd answers';

/**
 * plainImage is an ordinary Debian: a writable ext4 root with the required and important packages, Debian's own
 * initramfs, its default services, DHCP by systemd-networkd, and containerd, from the suites Plinth is made from.
 * Its boot loader and kernel are signed too, so that it can boot on the very machine Plinth boots on.
 */
export async function plainImage(spec: OsSpec, keysDir: string): Promise<MkosiImage> {
  const boot = await keyFiles(keysDir, 'boot');
  return {
    name: 'plain',
    binds: [{ host: keysDir, inside: KEYS, readOnly: true }],
    files: {
      'mkosi.conf': lines(
        '[Content]',
        'Bootable=yes',
        'Bootloader=systemd-boot',
        'WithDocs=no',
        'KernelModulesInitrd=no',
        'PostInstallationScripts=bench.postinst.chroot',
        'KernelCommandLine=console=tty0 console=ttyS0 quiet loglevel=4 root=PARTLABEL=plain',
        packages([
          '?priority(required)',
          '?priority(important)',
          ...[
            spec.kernel.package,
            'initramfs-tools',
            'zstd',
            'systemd-sysv',
            'systemd-boot',
            'systemd-boot-efi',
          ],
          ...['systemd-timesyncd', 'systemd-resolved', 'dbus', 'ca-certificates', 'containerd', 'runc'],
        ]),
        '[Validation]',
        'SecureBoot=yes',
        'SecureBootAutoEnroll=no',
        'SecureBootSignTool=systemd-sbsign',
        `SecureBootKey=${boot.key}`,
        `SecureBootCertificate=${boot.certificate}`,
      ),
      'bench.postinst.chroot': lines(
        '#!/bin/sh -e',
        '# Debian’s own initramfs in place of the one mkosi would make.',
        'INITRD=Yes update-initramfs -c -k all',
        'mkdir -p "$ARTIFACTDIR/io.mkosi.initrd"',
        'mv /boot/initrd.img-* "$ARTIFACTDIR/io.mkosi.initrd/initrd"',
        'systemctl enable systemd-networkd bench-ready',
      ),
      'mkosi.extra/etc/systemd/network/80-dhcp.network': '[Match]\nType=ether\n[Network]\nDHCP=yes\n',
      'mkosi.extra/etc/systemd/system/bench-ready.service': lines(
        '[Unit]',
        'After=containerd.service',
        'Wants=containerd.service',
        '[Service]',
        'Type=oneshot',
        `ExecStart=/bin/sh -c 'until ctr version >/dev/null 2>&1; do sleep 0.2; done; echo "${CONTAINERD_ANSWERS}" >/dev/console'`,
        '[Install]',
        'WantedBy=multi-user.target',
      ),
      'mkosi.repart/10-esp.conf': partition('Type=esp', ...ESP),
      'mkosi.repart/20-root.conf': partition(
        'Type=root',
        'Label=plain',
        'Format=ext4',
        'CopyFiles=/',
        'SizeMinBytes=3G',
        'SizeMaxBytes=3G',
      ),
    },
  };
}

const ESP = [
  'Format=vfat',
  'CopyFiles=/boot:/',
  'CopyFiles=/efi:/',
  'SizeMinBytes=256M',
  'SizeMaxBytes=256M',
];

function partition(...settings: readonly string[]): string {
  return lines('[Partition]', ...settings);
}

function packages(names: readonly string[]): string {
  return `Packages=\n${names.map((name) => `    ${name}`).join('\n')}`;
}

function lines(...text: readonly string[]): string {
  return `${text.join('\n')}\n`;
}

/** The pair of a role; its file names carry the start of the fingerprint. */
async function keyFiles(keysDir: string, role: string): Promise<KeyFiles> {
  const stem = (await readdir(keysDir)).find((name) =>
    new RegExp(`^${role}-[0-9a-f]+\\.key\\.pem$`).test(name),
  );
  if (stem === undefined) throw new Error(`${keysDir} has no key for "${role}"`);
  return { key: join(KEYS, stem), certificate: join(KEYS, stem.replace('.key.pem', '.crt.pem')) };
}
