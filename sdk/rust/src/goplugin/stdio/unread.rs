//! A standard error that nobody reads any more: whoever prints there must not fail for it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::goplugin::logging::Journal;

/// Points descriptor 2 at nothing once the reader of `journal` is gone: `eprintln!` panics on a broken pipe.
pub(super) async fn mind(journal: Journal) {
    // What cannot be watched, such as a file, has no reader that could go.
    let Some(pipe) = journal.as_fd().try_clone_to_owned().ok().and_then(register) else { return };
    let Ok(_gone) = pipe.ready(Interest::ERROR).await else { return };
    if let Ok(nothing) = nothing() {
        // The call that prints next fails, then, and none else.
        rustix::stdio::dup2_stderr(nothing).ok();
    }
}

/// Points descriptors 1 and 2 at `journal`, or at nothing when its reader is gone.
pub(super) fn give_back(journal: &Journal) {
    let nothing = if is_unread(journal) { nothing().ok() } else { None };
    let place = nothing.as_ref().map_or(journal.as_fd(), AsFd::as_fd);
    // Should one of these fail, a later print does; it is past the end then.
    rustix::stdio::dup2_stdout(place).ok();
    rustix::stdio::dup2_stderr(place).ok();
}

fn is_unread(journal: &Journal) -> bool {
    let mut looked = [PollFd::new(journal, PollFlags::empty())];
    let ready = poll(&mut looked, Some(&Timespec::default()));
    ready.is_ok() && looked.iter().any(|it| it.revents().contains(PollFlags::ERR))
}

fn nothing() -> io::Result<File> {
    File::options().write(true).open("/dev/null")
}

#[expect(
    deprecated,
    reason = "an OwnedFd is its descriptor until dropped; the replacement is unsafe"
)]
fn register(descriptor: OwnedFd) -> Option<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor, Interest::ERROR).ok()
}
