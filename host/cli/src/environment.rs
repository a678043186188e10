//! The one place where the environment is read; everything below gets values handed in.
//!
//! `WHARF_DATA` is read by clap beside `--data`. Colour variables (`NO_COLOR`, `CLICOLOR`,
//! `TERM`) are also honoured by the terminal libraries themselves.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

/// What was found in the environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    /// `XDG_DATA_HOME`, when absolute as its specification demands.
    pub(crate) data_home: Option<PathBuf>,
    /// `HOME`.
    pub(crate) home: Option<PathBuf>,
    /// `WHARF_PLUGIN_PATH`: folders to look for plugins in.
    pub(crate) plugin_path: Vec<PathBuf>,
    /// `WHARF_PYTHON`: the interpreter that runs plugins of Image Factory.
    pub(crate) python: Option<PathBuf>,
    /// The D-Bus of the session: `DBUS_SESSION_BUS_ADDRESS`, else `XDG_RUNTIME_DIR/bus`.
    pub(crate) bus: Option<String>,
    /// `PATH`: where a shell looks for programs.
    pub(crate) path: Vec<PathBuf>,
    /// `WHARF_LOG`, else `RUST_LOG`: which log lines to write.
    pub(crate) log: Option<String>,
    /// `TERM` is `dumb`: no cursor movement, no progress bars.
    pub(crate) dumb: bool,
    /// `COLUMNS`: the width to use when it cannot be asked for.
    pub(crate) columns: Option<usize>,
}

impl Environment {
    /// Reads variables through `lookup`.
    pub(crate) fn read(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let text = |name: &str| {
            lookup(name)
                .and_then(|value| value.into_string().ok())
                .filter(|value| !value.is_empty())
        };
        let absolute = |name: &str| lookup(name).map(PathBuf::from).filter(|it| it.is_absolute());
        let folders = |name: &str| -> Vec<PathBuf> {
            let value = lookup(name).unwrap_or_default();
            let all = std::env::split_paths(&value);
            all.filter(|path| !path.as_os_str().is_empty()).collect()
        };
        Self {
            data_home: absolute("XDG_DATA_HOME"),
            home: absolute("HOME"),
            plugin_path: folders("WHARF_PLUGIN_PATH"),
            python: absolute("WHARF_PYTHON"),
            bus: text("DBUS_SESSION_BUS_ADDRESS")
                .or_else(|| absolute("XDG_RUNTIME_DIR").and_then(|folder| address(&folder))),
            path: folders("PATH"),
            log: text("WHARF_LOG").or_else(|| text("RUST_LOG")),
            dumb: text("TERM").is_some_and(|term| term == "dumb"),
            columns: text("COLUMNS").and_then(|columns| columns.parse().ok()),
        }
    }

    /// The data folder when none was named.
    pub(crate) fn default_data(&self) -> Option<PathBuf> {
        self.data_home
            .clone()
            .or_else(|| self.home.as_ref().map(|home| home.join(".local/share")))
            .map(|folder| folder.join("wharf"))
    }
}

/// The address of the bus that systemd starts for a user, when there is one. Source: D-Bus specification, "Server
/// Addresses": every byte may be escaped.
fn address(folder: &Path) -> Option<String> {
    let socket = folder.join("bus");
    let path = percent_encode(socket.as_os_str().as_bytes(), NON_ALPHANUMERIC);
    socket.exists().then(|| format!("unix:path={path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Environment {
        Environment::read(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_data_folder_is_the_xdg_one_then_the_one_below_home() {
        let both = read(&[("XDG_DATA_HOME", "/x"), ("HOME", "/h")]);
        assert_eq!(both.default_data(), Some(PathBuf::from("/x/wharf")));
        let relative = read(&[("XDG_DATA_HOME", "x"), ("HOME", "/h")]);
        assert_eq!(relative.default_data(), Some(PathBuf::from("/h/.local/share/wharf")));
        assert_eq!(read(&[]).default_data(), None);
    }

    #[test]
    fn plugin_folders_are_split_at_colons_and_empty_ones_dropped() {
        let read = read(&[("WHARF_PLUGIN_PATH", "/a::/b")]);
        assert_eq!(read.plugin_path, [PathBuf::from("/a"), PathBuf::from("/b")]);
    }

    #[test]
    fn the_sessions_bus_is_the_one_that_is_named_then_the_one_of_systemd() {
        let folder = tempfile::Builder::new().prefix("run time").tempdir().expect("a folder");
        let runtime = folder.path().to_str().expect("it is text");
        let unnamed = || read(&[("XDG_RUNTIME_DIR", runtime)]).bus;
        assert_eq!(unnamed(), None);
        std::fs::write(folder.path().join("bus"), "").expect("a file");
        let address = unnamed().expect("there is one");
        assert!(
            address.starts_with("unix:path=%2F") && address.contains("run%20time"),
            "{address}"
        );
        let named = [("XDG_RUNTIME_DIR", runtime), ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/x")];
        assert_eq!(read(&named).bus.as_deref(), Some("unix:path=/x"));
    }

    #[test]
    fn wharf_log_goes_before_rust_log() {
        let both = read(&[("RUST_LOG", "info"), ("WHARF_LOG", "debug")]);
        assert_eq!(both.log.as_deref(), Some("debug"));
        assert_eq!(read(&[("RUST_LOG", "info")]).log.as_deref(), Some("info"));
    }
}
