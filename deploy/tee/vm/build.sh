#!/bin/bash
# Make the guest, OUT/vmlinuz and OUT/initrd. The same meshx and the same packages give the same bytes.
#
#   build.sh MESHX OUT
#
# Needs Debian 12 with cpio and xz-utils. Packages are fetched by apt and must have the hashes of packages.sha256;
# ones that Debian has replaced can be put into OUT/packages by hand.
set -euo pipefail
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1767225600}
umask 022
here=$(dirname "$(realpath "$0")")
meshx=$(realpath "$1")
mkdir -p "$2/packages" && out=$(realpath "$2")
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
packages=$work/packages root=$work/root
mkdir -p "$packages" "$root"/{bin,etc,lib64,lib/x86_64-linux-gnu,modules}

cd "$out/packages"
while read -r _ file; do
    name=${file%%_*} version=${file#*_}
    [ -e "$file" ] || apt-get -q download "$name=$(sed 's/%3a/:/; s/_[^_]*$//' <<<"$version")"
done <"$here/packages.sha256"
sha256sum --quiet --strict -c "$here/packages.sha256"
while read -r _ file; do dpkg-deb -x "$file" "$packages"; done <"$here/packages.sha256"

install -m 755 "$meshx" "$root/bin/meshx"
install -m 755 "$packages/bin/busybox" "$root/bin/busybox"
for command in cat insmod ip mount poweroff sh sleep udhcpc; do ln -s busybox "$root/bin/$command"; done
libraries=$packages/lib/x86_64-linux-gnu
install -m 755 "$libraries"/{libc.so.6,libm.so.6,libgcc_s.so.1,ld-linux-x86-64.so.2} "$root/lib/x86_64-linux-gnu/"
ln -s ../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 "$root/lib64/"
install -m 755 "$here/init" "$here/dhcp" "$here/../start.sh" "$root/"

# In the order in which they need each other; the number keeps it.
number=10
for module in fs/configfs/configfs net/core/failover drivers/net/net_failover drivers/net/virtio_net \
    drivers/firmware/qemu_fw_cfg drivers/virt/coco/tsm drivers/virt/coco/tdx-guest/tdx-guest \
    drivers/virt/coco/sev-guest/sev-guest; do
    xz -dc "$packages"/lib/modules/*/kernel/$module.ko.xz >"$root/modules/$number-${module##*/}.ko"
    number=$((number + 1))
done

# Not compressed: another version of a compressor would be another measurement.
cd "$root"
find . -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
find . -print0 | sort -z | cpio --quiet -0 -o -H newc --reproducible -R +0:+0 >"$out/initrd"
cp "$packages"/boot/vmlinuz-* "$out/vmlinuz"
cd "$out" && sha256sum vmlinuz initrd
