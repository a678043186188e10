//! Reaches an address that a plugin announced, if it may be reached at all.
//!
//! A plugin prints its line after it listens, so a refused connection is tried again for a short
//! time only (F19).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wharf_peer::{Address, Connection, DialRules};

use super::rules::Rules;

/// For how long a plugin may refuse connections after its handshake.
const PATIENCE: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Where a plugin listens.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: Address,
    pub(crate) rules: Arc<Rules>,
    /// The process that must be listening on a Unix socket there. `None`: any.
    pub(crate) listener: Option<u32>,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum DialError {
    /// The address is one that we do not dial.
    Policy(String),
    /// Nobody answers there, or what answers is no peer of ours.
    Failed(String),
}

impl Target {
    /// Connects, once the address is good and somebody listens, until `deadline` at the latest.
    pub(crate) async fn dial(&self, deadline: Instant) -> Result<Connection, DialError> {
        let end = deadline.min(Instant::now() + PATIENCE);
        let mut pause = FIRST_PAUSE;
        loop {
            let dialled = tokio::time::timeout_at(end, self.try_dial()).await;
            let error = match dialled.unwrap_or_else(|elapsed| Ok(Err(elapsed.into())))? {
                Ok(connection) => return Ok(connection),
                Err(error) => error,
            };
            if Instant::now() + pause > end || !is_worth_another_try(&error) {
                let problem = format!(
                    "the address {} of its handshake cannot be reached: {error}",
                    crate::text::excerpt(&self.address.text, 200)
                );
                return Err(DialError::Failed(problem));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_dial(&self) -> Result<io::Result<Connection>, DialError> {
        match wharf_peer::dial(&self.address, Some(self)).await {
            Ok(connection) => Ok(Ok(connection)),
            Err(wharf_peer::DialError::Failed(error)) => Ok(Err(error)),
            Err(wharf_peer::DialError::Refused(problem)) => Err(DialError::Policy(problem)),
        }
    }
}

impl DialRules for Target {
    fn check(&self, address: &Address) -> Result<io::Result<()>, String> {
        self.rules.check(address)
    }

    fn check_resolved(&self, addresses: &[SocketAddr]) -> Result<(), String> {
        self.rules.check_resolved(addresses)
    }

    /// Numbers of processes are reused, and so are paths.
    fn check_listener(&self, user: u32, process: Option<u32>) -> Result<(), String> {
        self.rules.check_listener(user, process)?;
        if self.listener.is_none() || self.listener == process {
            return Ok(());
        }
        let who =
            process.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
        let address = crate::text::excerpt(&self.address.text, 200);
        Err(format!("it is {who} that listens at {address}"))
    }
}

fn is_worth_another_try(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
        || error.kind() == io::ErrorKind::WouldBlock
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use wharf_proto::handshake::Network;

    use super::super::rules::SocketPolicy;
    use super::*;

    fn target(folder: &Path, socket: &Path) -> Target {
        let policy = SocketPolicy::Private;
        let rules = Rules { policy, folder: folder.to_owned(), runner: None };
        let address = Address { network: Network::Unix, text: socket.display().to_string() };
        Target { address, rules: Arc::new(rules), listener: None }
    }

    // F20
    #[tokio::test]
    async fn a_socket_with_a_long_path_is_dialled() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x".repeat(200));
        fs::create_dir(&deep).unwrap();
        let short = folder.path().join("s");
        let _listener = tokio::net::UnixListener::bind(&short).unwrap();
        fs::rename(&short, deep.join("s")).unwrap();
        let deadline = Instant::now() + PATIENCE;
        assert!(target(&deep, &deep.join("s")).dial(deadline).await.is_ok());
    }

    // F19
    #[tokio::test]
    async fn what_is_not_a_listening_socket_fails_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for (path, reason) in [(file, "not a socket"), (folder.path().join("none"), "No such file")]
        {
            let deadline = Instant::now() + Duration::from_millis(30);
            match target(folder.path(), &path).dial(deadline).await {
                Err(DialError::Failed(problem)) => assert!(problem.contains(reason), "{problem}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
