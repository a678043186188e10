#!/bin/sh
# A plugin that gets the handshake wrong in the way that its argument names. F-numbers: tests/faults/README.md.
socket="$PLUGIN_UNIX_SOCKET_DIR/never.sock"

# Says its line and lives on, as a real plugin would.
say() {
    printf '%s\n' "$1"
    exec sleep 600
}

case "$1" in
silent) exit 0 ;;                                                                        # F8
trace)                                                                                   # F9
    echo "Traceback (most recent call last):" >&2
    echo '  File "plugin.py", line 3, in <module>' >&2
    echo "ModuleNotFoundError: No module named 'grpc'" >&2
    exit 1
    ;;
mute) exec sleep 600 ;;                                                                  # F10
banner) say "$(printf 'Welcome to \033[31mMyPlugin\033[0m v2, have a nice day')" ;;      # F11
few) say "1|1|unix" ;;                                                                   # F12
empty) say "1|1|unix||grpc|" ;;
words) say "one|1|unix|$socket|grpc|" ;;
negative) say "1|-1|unix|$socket|grpc|" ;;
huge) say "1|99999999999999999999|unix|$socket|grpc|" ;;
core) say "2|1|unix|$socket|grpc|" ;;                                                    # F13
app) say "1|99|unix|$socket|grpc|" ;;
netrpc) say "1|1|unix|$socket|netrpc|" ;;                                                # F17
endless) exec head -c 100000000 /dev/zero ;;                                             # F15
elsewhere) say "1|1|tcp|192.0.2.1:7000|grpc|$2" ;;                                       # F18
outside) say "1|1|unix|/tmp/not-ours.sock|grpc|$2" ;;
climb) say "1|1|unix|$PLUGIN_UNIX_SOCKET_DIR/../../other.sock|grpc|$2" ;;
link)
    ln -s /tmp/not-ours.sock "$socket"
    say "1|1|unix|$socket|grpc|$2"
    ;;
file)                                                                                    # F19
    : > "$socket"
    say "1|1|unix|$socket|grpc|$2"
    ;;
plain) say "1|1|unix|$socket|grpc|" ;;                                                   # F21
base64) say "1|1|unix|$socket|grpc|$(printf '%060d' 0)!!not base64!!" ;;
x509) say "1|1|unix|$socket|grpc|$(printf '%060d' 0)" ;;
*)
    echo "unknown fault $1" >&2
    exit 2
    ;;
esac
