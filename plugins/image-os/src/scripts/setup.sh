# Before anything is installed: the parent's tree, if there is one, and where packages come from now.
if [ -e "$WHARF_STEPS/parent" ]; then
    zstd -dcq "$(cat "$WHARF_STEPS/parent")" |
        tar -C "$root" -xp --numeric-owner --xattrs --xattrs-include='*'
    inside 'cd /etc/apt && { [ ! -e sources.list ] || cp -P sources.list .wharf-sources; }'
    into /etc/apt/sources.list <"$WHARF_STEPS/sources.now"
fi
