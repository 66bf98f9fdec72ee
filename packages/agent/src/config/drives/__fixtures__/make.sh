#!/bin/sh
# Makes the volumes of this folder with the programs that people make config drives with: cloud-localds, genisoimage
# (as Nova calls it), xorriso, mkfs.vfat with mcopy. Needs ca.pem, the certificate of any authority. Each is then
# compressed: zstd -19 NAME.img
set -e
cat > user-data <<X
#cloud-config
hostname: drive-1
write_files:
  - path: /etc/plinth/machine-config.yaml
    content: |
      apiVersion: plinth.dev/v1alpha1
      kind: ApiAccess
      clientAuthorities:
        - |
$(sed 's/^/          /' ca.pem)
X
printf 'instance-id: i-1\nlocal-hostname: drive-1\n' > meta-data
cat > network-config <<X
version: 2
ethernets:
  wan:
    match: { macaddress: "52:54:00:0a:05:0c" }
    addresses: [10.78.0.11/24]
X
# 1. cloud-localds (genisoimage -joliet -rock) as most people do
cloud-localds -N network-config iso-localds.img user-data meta-data
# 2. plain ISO 9660 without extensions
genisoimage -quiet -volid CIDATA -output iso-plain.img -iso-level 4 user-data meta-data
# 3. xorriso, Rock Ridge only
xorriso -as mkisofs -quiet -V cidata -R -o iso-xorriso.img user-data meta-data network-config
# 4. OpenStack as nova does
mkdir -p os/openstack/latest os/openstack/2012-08-10
cp user-data os/openstack/latest/user_data
echo '{"uuid":"8b0e","hostname":"Nova-1.novalocal","name":"Nova-1","public_keys":{},"availability_zone":"nova"}' > os/openstack/latest/meta_data.json
echo '{"links":[],"networks":[{"id":"network0","type":"ipv4_dhcp","link":"tap1"}],"services":[]}' > os/openstack/latest/network_data.json
echo '{}' > os/openstack/latest/vendor_data.json
genisoimage -quiet -o iso-nova.img -ldots -allow-lowercase -allow-multidot -l -publisher "OpenStack Compute" -J -r -V config-2 os
# FAT
for bits in 12 16 32; do
  size=1; [ $bits = 16 ] && size=16; [ $bits = 32 ] && size=64
  rm -f fat$bits.img; truncate -s ${size}M fat$bits.img
  mkfs.vfat -F $bits -s 1 -n CIDATA fat$bits.img >/dev/null
  mcopy -i fat$bits.img user-data meta-data network-config ::
done
rm -f fat-nova.img; truncate -s 64M fat-nova.img; mkfs.vfat -n config-2 fat-nova.img > /dev/null; mcopy -s -i fat-nova.img os/openstack ::
