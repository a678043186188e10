//! Running other programs on behalf of a call: `qemu-img`, `mmdebstrap`, a compiler.
//!
//! A [`Command`] says what to run, [`Options`] what to make of it, and [`run`] does it: the program gets a process group of
//! its own and no standard input; every line it writes is a line of the job's log, unless it is progress; when
//! the call is cancelled, or the time is up, the whole group is ended before `run` returns, so that its files can be
//! removed. A failure tells the command, how it ended, and the last lines it wrote.
//! Never a shell, never a secret in an argument: what is run is shown to users.
//!
//! ```
//! use std::time::Duration;
//! use wharf_sdk::tool::{self, Command, Options};
//! # use wharf_sdk::{Context, Error};
//!
//! # async fn convert(context: &Context) -> Result<(), Error> {
//! tool::need(&[("qemu-img", "qemu-utils")])?;
//! let command = Command::new("qemu-img")
//!     .package("qemu-utils")
//!     .args(["convert", "-p", "-O", "vmdk", "disk.qcow2", "disk.vmdk"])
//!     .dir(context.work_dir());
//! let options = Options::new("converting").limit(Duration::from_secs(600)).progress(tool::percent);
//! tool::run(context, &command, &options).await?;
//! # Ok(())
//! # }
//! ```

mod command;
mod failure;
mod find;
mod follow;
mod group;
mod lines;
mod percent;

pub use command::{Command, Options, Output};
pub use find::{find, need};
pub use percent::percent;

use std::time::Duration;

use crate::{Context, Error};
use follow::Follower;
use group::Group;

/// Runs a program to its end.
///
/// # Errors
/// A usage error when the program is not installed; an operation error when it cannot be started, ends with anything but
/// success, writes more than was to be kept, or takes too long; [`Error::cancelled`]. In every case no process of its
/// group is left.
pub async fn run(context: &Context, command: &Command, options: &Options) -> Result<Output, Error> {
    let mut group = Group::start(context, command)?;
    let mut follower = Follower::new(context, command, options, &mut group);
    let ended = tokio::select! {
        biased;
        () = context.cancelled() => Err(Error::cancelled()),
        () = tokio::time::sleep(options.limit) => Err(follower.too_long()),
        ended = follower.follow() => ended,
    };
    let ended = ended.and_then(|status| follower.output(status));
    group.end().await;
    ended
}

/// Time that tidying up may take; a cancelled call has not much more.
const TIDY: Duration = Duration::from_secs(15);

/// Runs a program that removes what other programs left. Unlike with [`run`], a cancelled call does not end it; 15 s do.
/// Nothing of it is logged.
///
/// # Errors
/// As [`run`].
pub async fn tidy(context: &Context, command: &Command) -> Result<(), Error> {
    let mut group = Group::start(context, command)?;
    let ended = tokio::time::timeout(TIDY, group.wait()).await;
    group.end().await;
    let none = std::collections::VecDeque::new();
    match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(failure::failed(command, status, &none)),
        Ok(Err(error)) => Err(failure::not_followed(command, &error)),
        Err(_) => Err(failure::too_long(command, TIDY, &none)),
    }
}
