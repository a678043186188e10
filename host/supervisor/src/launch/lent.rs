//! Files that belong to ids which the system lends to this user (`/etc/subuid`): a plugin that works in a user namespace leaves
//! such when it is killed, and only from inside a namespace with the same ids they can be removed.
//!
//! Needs `unshare` of util-linux and `newuidmap` of shadow, as whoever made the files did.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::time::timeout;

/// How long a removal may take.
const LIMIT: Duration = Duration::from_mins(1);

/// Removes a folder with everything in it from inside a user namespace that has this user's lent ids.
///
/// # Errors
/// Why that did not work, in words.
pub async fn remove_lent(folder: &Path) -> Result<(), String> {
    #[expect(clippy::disallowed_methods, reason = "a tool of the system, not a plugin")]
    let mut command = tokio::process::Command::new("unshare");
    command
        .args(["--map-root-user", "--map-auto", "--", "rm", "-rf", "--one-file-system", "--"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    match timeout(LIMIT, command.output()).await {
        Ok(Ok(ended)) if ended.status.success() => Ok(()),
        Ok(Ok(ended)) => {
            let words = String::from_utf8_lossy(&ended.stderr);
            Err(format!("unshare: {}: {}", ended.status, words.trim()))
        }
        Ok(Err(error)) => Err(format!("unshare: {error}")),
        Err(_elapsed) => Err(format!("unshare took longer than {LIMIT:?}")),
    }
}
