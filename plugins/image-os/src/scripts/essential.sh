# The tree can run programs; packages come next. Some of them look at the files of ours: an initial file system has the checker
# of the file systems in fstab.
put_files own
if [ -e "$WHARF_STEPS/boots" ]; then
    inside 'chmod 0755 /etc/kernel/postinst.d/zz-wharf-esp /etc/initramfs/post-update.d/zz-wharf-esp'
fi
run_all precommands
