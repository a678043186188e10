# Everything after the packages: what the image says of itself, files, commands, the list of packages.
if [ -s "$WHARF_STEPS/packages" ]; then
    # As mmdebstrap installs them: apt from outside, which sees mirrors that the tree does not.
    APT_CONFIG=$MMDEBSTRAP_APT_CONFIG xargs -d '\n' -a "$WHARF_STEPS/packages" apt-get --yes \
        -o Dir::Bin::dpkg=env -o DPkg::Options::=--unset=TMPDIR -o DPkg::Options::=dpkg \
        -o DPkg::Chroot-Directory="$root" install
fi

if [ -e "$WHARF_STEPS/parent" ]; then
    inside 'cd /etc/apt && { [ ! -e .wharf-sources ] || mv .wharf-sources sources.list; }'
else
    inside 'rm -f /etc/apt/sources.list.d/[0-9]*'
    into /etc/apt/sources.list <"$WHARF_STEPS/sources.image"
fi
inside 'rm -f /etc/apt/apt.conf.d/99mmdebstrap'
for list in "$WHARF_STEPS/repositories"/*; do
    [ ! -e "$list" ] || into "/etc/apt/sources.list.d/${list##*/}" <"$list"
done
[ ! -s "$WHARF_STEPS/servers" ] || into /etc/apt/apt.conf.d/90wharf-servers <"$WHARF_STEPS/servers"
[ ! -s "$WHARF_STEPS/sources.build" ] || into /etc/apt/sources.list.d/wharf-build.list <"$WHARF_STEPS/sources.build"

if [ -s "$WHARF_STEPS/rootpw" ]; then
    chroot "$root" chpasswd <"$WHARF_STEPS/rootpw"
fi
if [ -e "$WHARF_STEPS/keys" ]; then
    inside 'chmod 0700 /root/.ssh && chmod 0600 /root/.ssh/authorized_keys'
fi
if [ -e "$WHARF_STEPS/boots" ]; then
    inside 'mkdir -p /boot/efi && systemctl enable systemd-networkd systemd-resolved'
fi

put_files files
run_all commands

inside 'rm -f /etc/apt/sources.list.d/wharf-build.list'
# The resolver of the machine that builds is nobody's business.
inside '[ -L /etc/resolv.conf ] || { [ -e /etc/resolv.conf ] && : >/etc/resolv.conf; } || true'
if [ -e "$WHARF_STEPS/boots" ]; then
    inside 'ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf'
fi
# shellcheck disable=SC2016
chroot "$root" dpkg-query -W -f '${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\n' >"$WHARF_STEPS/installed"
inside 'cat /etc/os-release' >"$WHARF_STEPS/os-release"
