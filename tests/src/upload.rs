//! Clients that upload: twine and uv publish.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::python::tool;

/// A client that publishes distributions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publisher {
    /// `twine upload`.
    Twine,
    /// `uv publish`.
    Uv,
}

impl Publisher {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Twine, Self::Uv];

    /// Uploads a file to the address with a token.
    pub fn publish(self, url: &str, token: &str, home: &Path, file: &Path) -> Output {
        let mut command = match self {
            Self::Twine => {
                let mut command = Command::new(tool("twine"));
                command.args([
                    "upload",
                    "--non-interactive",
                    "--disable-progress-bar",
                    "--verbose",
                ]);
                command.args(["--repository-url", url, "--username", "__token__"]);
                command.args(["--password", token]);
                command
            }
            Self::Uv => {
                let mut command = Command::new(tool("uv"));
                command.args(["publish", "--no-config", "--no-cache", "--publish-url", url]);
                command.args(["--token", token, "--trusted-publishing", "never"]);
                command
            }
        };
        // Nothing of this machine's settings is heard.
        command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").arg(file);
        let output = command.stdin(Stdio::null()).output();
        output.unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }
}

/// What a client said.
pub fn told(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{}: {}{}", output.status, both[0], both[1])
}

/// How many files lie below a folder.
pub fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let count =
        entries.map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { 1 });
    count.sum()
}
