//! The guardian: a small process between the host and one plugin, which sees to it that nothing of
//! the plugin outlives the host, the plugin or a wish to stop.
//!
//! ```text
//! host ── socket pair ── guardian ── plugin ── whatever the plugin starts
//!                        (session, subreaper)
//! ```
//!
//! Stage one ([`guard`]) makes a session of its own, becomes the reaper of all its descendants and
//! starts stage two ([`stage`]), which asks the kernel for a `SIGKILL` at the guardian's death, takes
//! on the limits that it was given ([`grant`]) and turns into the plugin. The guardian then waits for two things: words from the host ([`frames`]),
//! and the end of the plugin. At the end of either, or of the host, it kills every descendant by
//! pidfd ([`descendants`]) until none is left, and ends with the plugin's own status. If the host
//! is gone by then, it removes the plugin's folder too, which the host would have done.
//!
//! It never polls, never reads what the plugin writes, and keeps no end of the plugin's pipes. It
//! runs either as the program `wharf-launch` or inside any program whose `main` begins with
//! [`guardian_main`].

mod choice;
mod descendants;
pub(crate) mod frames;
pub(crate) mod grant;
mod guard;
mod stage;

use std::ffi::OsStr;
use std::process::ExitCode;

pub use choice::Guardian;

/// The first argument of a guardian. Nothing that a person would type.
pub(crate) const TOKEN: &str = "--wharf-guardian-2";
/// The second argument of stage one; the plugin's folder, its program and arguments follow.
pub(crate) const GUARD: &str = "guard";
/// The second argument of stage two; the guardian's pid, the program and its arguments follow.
const STAGE: &str = "stage";

/// Runs this process as a plugin's guardian if it was started as one.
///
/// A program that embeds the supervisor without installing `wharf-launch` beside itself calls this
/// first thing in `main`, before any thread runs, and returns the code if there is one:
///
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     if let Some(code) = wharf_supervisor::guardian_main() {
///         return code;
///     }
///     // The program proper. It launches plugins with `Guardian::CurrentExe`.
///     ExitCode::SUCCESS
/// }
/// ```
///
/// `None`: this process was not started as a guardian, and nothing was done.
pub fn guardian_main() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != TOKEN {
        return None;
    }
    let stage = args.next().unwrap_or_default();
    let code = if stage == OsStr::new(GUARD) {
        guard::run(args)
    } else if stage == OsStr::new(STAGE) {
        stage::run(args)
    } else {
        ExitCode::from(frames::NOT_STARTED)
    };
    Some(code)
}
