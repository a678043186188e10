//! A standard error that nobody reads any more: whoever prints there must not fail for it.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::goplugin::logging::Journal;

/// Points descriptor 2 at nothing once the reader of `journal` is gone: `eprintln!` panics on a broken pipe.
pub(super) async fn mind(journal: Journal) {
    // What cannot be watched, such as a file, has no reader that could go.
    let Some(pipe) = journal.as_fd().try_clone_to_owned().ok().and_then(register) else { return };
    let Ok(_gone) = pipe.ready(Interest::ERROR).await else { return };
    if let Ok(nothing) = File::options().write(true).open("/dev/null") {
        // The call that prints next fails, then, and none else.
        rustix::stdio::dup2_stderr(nothing).ok();
    }
}

#[expect(
    deprecated,
    reason = "an OwnedFd is its descriptor until dropped; the replacement is unsafe"
)]
fn register(descriptor: OwnedFd) -> Option<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor, Interest::ERROR).ok()
}
