# Read by the hooks. mmdebstrap hands them the tree as $1; WHARF_STEPS is the folder of what was laid ready.
set -eu
root=$1

# What is written into the tree is written from inside: a link in it must not lead out.
into() {
    chroot "$root" /bin/sh -c 'mkdir -p "${1%/*}/" && cat >"$1"' sh "$1"
}

inside() {
    chroot "$root" /bin/sh -c "$1"
}

# Runs the scripts of a folder in their order: with the interpreter that they name, else as root's shell would.
run_all() {
    for script in "$WHARF_STEPS/$1"/*.script; do
        [ -e "$script" ] || continue
        echo "wharf: $1: $(cat "${script%.script}.name")"
        into /.wharf-step <"$script"
        interpreter=/bin/sh
        [ ! -x "$root/bin/bash" ] || interpreter=/bin/bash
        if [ "$(head -c 2 "$script")" = '#!' ]; then
            inside "chmod 0700 /.wharf-step"
            chroot "$root" /usr/bin/env HOME=/root /.wharf-step </dev/null
        else
            chroot "$root" /usr/bin/env HOME=/root "$interpreter" /.wharf-step </dev/null
        fi
        inside "rm -f /.wharf-step"
    done
}

put_files() {
    for content in "$WHARF_STEPS/$1"/*.content; do
        [ -e "$content" ] || continue
        name=$(cat "${content%.content}.name")
        echo "wharf: file $name"
        into "$name" <"$content"
    done
}
