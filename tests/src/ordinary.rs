//! Tests as an ordinary user, when root runs them: in a mount namespace of their own, where ids are lent to that user and the
//! checkout can be read by everybody, wherever it lies.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

const USER: u32 = 65534;
/// The user, and the ids that he is lent.
const LENT: &str = "65534:200000:65536\n";
const SCRIPT: &str = r#"
set -eu
place=$0 checkout=$1 closed=$2 program=$3 test=$4
mount --bind "$place/lent" /etc/subuid
mount --bind "$place/lent" /etc/subgid
if [ -n "$closed" ]; then
    mount --bind "$checkout" "$place/checkout"
    mount -t tmpfs -o mode=755 tmpfs "$closed"
    mkdir -p "$checkout"
    for folder in "$place"/checkout/*/; do
        mkdir "$checkout/$(basename "$folder")"
        mount --bind "$folder" "$checkout/$(basename "$folder")"
    done
fi
cd "$place/home"
exec setpriv --reuid 65534 --regid 65534 --clear-groups \
    env HOME="$place/home" TMPDIR="$place/home" XDG_RUNTIME_DIR= "$program" --exact "$test" --ignored --nocapture
"#;

/// Runs one of the ignored tests of the calling program, with these variables in its environment.
///
/// # Panics
/// When it fails.
pub fn run(test: &str, variables: &[(&str, &str)]) {
    let own = std::env::current_exe().expect("/proc is there");
    if !geteuid().is_root() {
        let arguments = ["--exact", test, "--ignored", "--nocapture"];
        passes(Command::new(own).args(arguments).envs(variables.iter().copied()));
        return;
    }
    let folder = tempfile::Builder::new().prefix("wharf-user-").tempdir().expect("a folder");
    let place = folder.path();
    open(place, 0o755);
    std::fs::write(place.join("lent"), LENT).expect("a file");
    for name in ["home", "checkout"] {
        std::fs::create_dir(place.join(name)).expect("a folder");
        open(&place.join(name), 0o755);
    }
    chown(place.join("home"), Some(USER), Some(USER)).expect("root may give it away");
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is below it");
    let closed = closed(checkout).unwrap_or_default();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", SCRIPT]).arg(place).args([checkout, &closed]);
    passes(command.arg(own).arg(test).envs(variables.iter().copied()));
}

/// The uppermost folder on the way to a path that others may not enter.
fn closed(path: &Path) -> Option<PathBuf> {
    let closed = |folder: &&Path| {
        folder.metadata().is_ok_and(|found| found.permissions().mode() & 0o005 != 0o005)
    };
    path.ancestors().filter(closed).last().map(Path::to_owned)
}

fn open(path: &Path, mode: u32) {
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, permissions).expect("our own folder");
}

fn passes(command: &mut Command) {
    let ended = command.output().expect("unshare and sh are there; tests/run installs them");
    let told = String::from_utf8_lossy(&ended.stdout);
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && told.contains("1 passed"), "{told}\n{errors}");
}
