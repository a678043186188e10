//! What every command is handed: global options, outputs, terminal, signals, clock.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::args::SecretsIn;
use crate::environment::Environment;
use crate::error::Error;
use crate::interrupts::Interrupts;
use crate::output::Output;
use crate::render::time::Clock;
use crate::terminal::Terminal;

/// The surroundings of one command.
pub(crate) struct App {
    /// `--data`, as given.
    pub(crate) data: Option<PathBuf>,
    /// `--runtime-dir`, as given.
    pub(crate) runtime: Option<PathBuf>,
    /// `-v`, counted.
    pub(crate) verbose: u8,
    /// What the environment says.
    pub(crate) environment: Environment,
    /// The program's own file, beside which plugins are looked for.
    pub(crate) executable: PathBuf,
    /// Where results go.
    pub(crate) output: Output,
    /// What the outputs are.
    pub(crate) terminal: Terminal,
    /// The user's time zone.
    pub(crate) zone: TimeZone,
    /// What a server that stays was told.
    pub(crate) serve: Option<Staying>,
    /// Where a server keeps secrets.
    pub(crate) secrets: SecretsIn,
    /// Ctrl-C and SIGTERM.
    pub(crate) interrupts: Interrupts,
}

/// What only a server knows that stays.
pub(crate) struct Staying {
    /// How long jobs that have ended are remembered. None: for ever.
    pub(crate) history: Option<Duration>,
    /// Places of queues by name.
    pub(crate) queues: BTreeMap<String, u64>,
    /// Bytes of a disk that stay free when plugins reserve space.
    pub(crate) keep_free: u64,
}

impl App {
    /// The data folder, absolute. It need not exist.
    pub(crate) fn data_folder(&self) -> Result<PathBuf, Error> {
        let folder = match &self.data {
            Some(folder) => folder.clone(),
            None => self.environment.default_data().ok_or(Error::NoDataFolder)?,
        };
        std::path::absolute(&folder).map_err(|source| Error::DataFolder { path: folder, source })
    }

    /// The folder for sockets of plugins, absolute: sockets cannot be found again by a name that depends on a place.
    pub(crate) fn runtime_folder(&self, data: &Path) -> Result<PathBuf, Error> {
        match &self.runtime {
            Some(folder) => std::path::absolute(folder)
                .map_err(|source| Error::DataFolder { path: folder.clone(), source }),
            None => Ok(wharf_supervisor::standard_runtime_dir(data)),
        }
    }

    /// The present, in the user's zone.
    pub(crate) fn clock(&self) -> Clock {
        Clock { now_ms: jiff::Timestamp::now().as_millisecond(), zone: self.zone.clone() }
    }
}
