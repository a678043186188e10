# From a tree to a disk, without mounts: partition table, file system of the tree, boot loader and kernel.
# $1: the folder to work in, with rootfs.tar and layout; the rest is in the environment.
set -eu
cd "$1"
# mmdebstrap's archive has no /dev, and whoever starts the tree mounts something there.
mkdir -p empty/dev tree
tar -C empty --numeric-owner --owner=0 --group=0 --mode=0755 --mtime="@$EMPTY_TIME" -rf rootfs.tar ./dev
tar -C tree -xpf rootfs.tar --numeric-owner --xattrs --xattrs-include='*'
if [ "$PRETEND" = yes ]; then
    # A file that its owner may not read is made readable for real, and stays what it is in pretence.
    find tree -type f ! -perm -0400 -printf '%m %p\n' | while read -r mode path; do
        chmod 0600 "$path"
        chmod "$mode" "$path"
    done
fi
truncate -s "$DISK_BYTES" disk.raw
sfdisk --quiet disk.raw <layout
echo "wharf: making the file system"
mke2fs -q -F -t ext4 -b 4096 -L root -U "$ROOT_UUID" -E "hash_seed=$ROOT_UUID,offset=$ROOT_OFFSET" \
    -d tree disk.raw "$ROOT_KIB"k
if [ "$ESP_KIB" -gt 0 ]; then
    kernel=$(find tree/boot -maxdepth 1 -name 'vmlinuz-*' | sort -V | tail -n 1)
    [ -n "$kernel" ] || { echo "there is no kernel in /boot; is the parameter kernel right?" >&2; exit 1; }
    initrd=tree/boot/initrd.img-${kernel#tree/boot/vmlinuz-}
    [ -e "$initrd" ] || { echo "$kernel has no initial file system beside it" >&2; exit 1; }
    echo "wharf: boot loader and ${kernel#tree/boot/}"
    truncate -s "$ESP_KIB"K esp.raw
    mkfs.vfat -F 32 -n ESP -i "$ESP_ID" esp.raw >/dev/null
    mmd -i esp.raw ::/EFI ::/EFI/BOOT ::/EFI/systemd ::/loader ::/loader/entries
    loader=tree/usr/lib/systemd/boot/efi/$LOADER
    [ -e "$loader" ] || { echo "there is no boot loader in the tree: ${loader#tree}" >&2; exit 1; }
    mcopy -m -i esp.raw "$loader" "::/EFI/BOOT/$FIRMWARE_NAME"
    mcopy -m -i esp.raw "$loader" "::/EFI/systemd/$LOADER"
    mcopy -m -i esp.raw "$kernel" ::/vmlinuz
    mcopy -m -i esp.raw "$initrd" ::/initrd.img
    mcopy -m -i esp.raw loader.conf ::/loader/loader.conf
    mcopy -m -i esp.raw entry.conf ::/loader/entries/wharf.conf
    dd if=esp.raw of=disk.raw bs=1M seek=1 conv=notrunc,sparse status=none
    rm esp.raw
fi
rm -rf tree
