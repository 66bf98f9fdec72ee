#!/bin/sh
# Makes the volume of this folder as people make a NoCloud drive, with a user-data that has room: a comment and blank lines up to
# 8192 bytes, over which a test writes the config that its own keys make. The toolbox has no program that makes ISO 9660.
# Then compressed: zstd -19 cidata-room.img
set -e
{ printf '#'; head -c 8191 /dev/zero | tr '\0' '\n'; } > user-data
printf 'instance-id: provision\n' > meta-data
genisoimage -quiet -joliet -rock -volid cidata -output cidata-room.img user-data meta-data
