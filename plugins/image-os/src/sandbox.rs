//! Being root without being it: where mmdebstrap and what reads its tree run.
//!
//! An ordinary user has a user namespace with the ids that the system lends (`/etc/subuid`); where that is not to be
//! had, fakechroot and fakeroot pretend. Root itself works as root, in namespaces of its own for mounts and processes, so
//! that a tool that is killed leaves no mount.

use std::path::Path;
use std::time::Duration;

use wharf_sdk::tool::{self, Command, Options};
use wharf_sdk::{Context, Error, Level};

/// Own mounts and process numbers; the first process takes all others with it.
const NAMESPACES: [&str; 5] = ["--mount", "--pid", "--fork", "--kill-child", "--"];
const OWN_USERS: [&str; 2] = ["--map-root-user", "--map-auto"];
const PROBE: Duration = Duration::from_secs(30);

/// How tools are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sandbox {
    /// In a user namespace.
    Users,
    /// As root.
    Root,
    /// Pretending.
    Fake,
}

impl Sandbox {
    /// The best that works here: it is tried.
    pub(crate) async fn probe(context: &Context) -> Result<Self, Error> {
        let own = if rustix::process::geteuid().is_root() { Self::Root } else { Self::Users };
        let quiet = || Options::new("preparing").level(Level::DEBUG).limit(PROBE);
        match tool::run(context, &own.command("true", &[]), &quiet()).await {
            Ok(_) => return Ok(own),
            Err(error) if context.is_cancelled() => return Err(error),
            Err(error) => {
                let text = format!("no namespaces, so fakechroot it is, which is slow: {error}");
                context.log(Level::WARN, text).await;
            }
        }
        if tool::need(&[("fakechroot", "fakechroot"), ("fakeroot", "fakeroot")]).is_ok() {
            return Ok(Self::Fake);
        }
        let message = "an image needs a user namespace with subordinate ids, or fakechroot: on Debian, \
             `apt-get install uidmap` and an entry of this user in /etc/subuid and /etc/subgid, or `apt-get install fakechroot fakeroot`";
        Err(Error::usage("config.sandbox", message))
    }

    /// What mmdebstrap calls it, from inside.
    pub(crate) fn mode(self) -> &'static str {
        match self {
            Self::Users | Self::Root => "root",
            Self::Fake => "fakechroot",
        }
    }

    /// mmdebstrap, which pretends by itself.
    pub(crate) fn mmdebstrap(self) -> Command {
        let command = match self {
            Self::Fake => Command::new("mmdebstrap"),
            Self::Users | Self::Root => self.command("mmdebstrap", &[]),
        };
        command.package("mmdebstrap uidmap")
    }

    /// Another program that sees the owners of files as mmdebstrap did.
    pub(crate) fn command(self, program: &str, args: &[&str]) -> Command {
        let command = match self {
            Self::Users => Command::new("unshare").args(OWN_USERS).args(NAMESPACES),
            Self::Root => Command::new("unshare").args(NAMESPACES),
            Self::Fake => Command::new("fakeroot").arg("--"),
        };
        command.arg(program).args(args.iter().copied())
    }

    /// Removes a folder whose files may belong to lent ids; also when the call was cancelled.
    pub(crate) async fn remove(self, context: &Context, folder: &Path) -> Result<(), Error> {
        let command = self.command("rm", &["-rf", "--one-file-system", "--"]).arg(folder);
        tool::tidy(context, &command).await
    }
}
