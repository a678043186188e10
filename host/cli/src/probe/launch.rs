//! Starting a plugin that nothing is known about, and saying what to do when it does not start.
//!
//! It is asked for all that was wished for; one that does not do TLS or multiplexing is started
//! again without, which is told. Nothing else is tried twice.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use wharf_engine::{Class, Problem};
use wharf_supervisor::{
    EnvPolicy, Error as Fault, Guardian, Launch, Process, SocketPolicy, Tls, standard_runtime_dir,
};

use super::target::Target;
use crate::app::App;
use crate::args::Probe;
use crate::error::Error;

/// For each step of the stop, as go-plugin's hosts have it.
pub(super) const GRACE: Duration = Duration::from_secs(2);
/// A folder for sockets with a longer name leaves them no room.
const LONGEST_FOLDER: usize = 55;

/// A plugin that answers.
pub(super) struct Started {
    pub(super) process: Process,
    /// What the caller wished for.
    pub(super) asked: Wishes,
    /// What it got.
    pub(super) got: Wishes,
    /// Holds the plugin's private folder; goes after the process.
    _folder: TempDir,
}

/// What a plugin may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wishes {
    pub(super) tls: bool,
    pub(super) multiplexing: bool,
}

/// Starts it, with less if need be.
pub(super) async fn start(app: &App, args: &Probe, target: &Target) -> Result<Started, Error> {
    let folder = folder()?;
    let asked = Wishes { tls: !args.no_tls, multiplexing: args.multiplex };
    let mut got = asked;
    loop {
        let launch = launch(app, args, target, folder.path(), got);
        match launch.start().await {
            Ok(process) => return Ok(Started { process, asked, got, _folder: folder }),
            Err(fault) => match without(&fault, got) {
                Some(less) => got = less,
                None => return Err(problem(fault, target).into()),
            },
        }
    }
}

fn launch(app: &App, args: &Probe, target: &Target, folder: &Path, wishes: Wishes) -> Launch {
    let mut launch = Launch::new(&target.program)
        .args(target.arguments.clone())
        .cookie(&target.cookie.key, &target.cookie.value)
        .versions(&target.offer.versions())
        .env(EnvPolicy::Inherit)
        .socket_policy(SocketPolicy::Any)
        .runtime_dir(folder)
        .start_timeout(args.timeout)
        .stop_times(GRACE, GRACE)
        .tls(if wishes.tls { Tls::Auto } else { Tls::Off })
        .multiplex(wishes.multiplexing);
    if !app.executable.with_file_name("wharf-launch").exists() {
        // Installed alone; `main` begins with `guardian_main`.
        launch = launch.guardian(Guardian::CurrentExe);
    }
    // Old plugins know no other place for their sockets; what they leave there goes with the folder.
    launch = launch.set_env("TMPDIR", folder.display().to_string());
    for (name, value) in &target.variables {
        launch = launch.set_env(name, value);
    }
    launch
}

/// A folder of our own: there is no data folder, and no host whose folder it could share.
fn folder() -> Result<TempDir, Error> {
    let temporary = std::env::temp_dir();
    let places = [standard_runtime_dir(Path::new("")), temporary.clone(), PathBuf::from("/tmp")];
    let fits = |place: &&PathBuf| place.is_absolute() && place.as_os_str().len() <= LONGEST_FOLDER;
    let place = places.iter().find(fits).unwrap_or(&temporary);
    tempfile::Builder::new()
        .prefix("probe-")
        .tempdir_in(place)
        .map_err(|source| Error::DataFolder { path: place.clone(), source })
}

/// The same wishes without the one that this fault is about.
fn without(fault: &Fault, wishes: Wishes) -> Option<Wishes> {
    let Fault::Handshake { problem, .. } = fault else { return None };
    if wishes.tls && problem.contains("has no certificate") {
        return Some(Wishes { tls: false, ..wishes });
    }
    (wishes.multiplexing && problem.contains("multiplexing"))
        .then_some(Wishes { multiplexing: false, ..wishes })
}

/// What happened, where, and what to do next. Whatever is wrong with the plugin is a fault.
fn problem(fault: Fault, target: &Target) -> Problem {
    let help = advice(&fault, target);
    let mut problem = Problem::from(fault);
    if problem.code != "config" {
        problem.class = Class::Fault;
    }
    let problem = problem.at(target.program.display().to_string());
    match help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

fn advice(fault: &Fault, target: &Target) -> Option<String> {
    let text = match fault {
        Fault::NotStarted { .. } => {
            "name the plugin's program; arguments for it stand behind `--`".to_owned()
        }
        Fault::Ended { exit, .. } if misses_its_cookie(&exit.stderr) => cookie(target),
        Fault::Ended { .. } => {
            "it is probably no plugin: one prints a handshake line to standard output and stays; \
             if it is one, --cookie KEY=VALUE may be missing"
                .to_owned()
        }
        Fault::StartTimeout { .. } => {
            "if it is a plugin and needs longer, give it more time with --timeout; a program that \
             prints nothing is none"
                .to_owned()
        }
        Fault::Handshake { problem, .. } if problem.contains("application protocol") => {
            format!("offer what it speaks with --protocol; it was offered {}", target.offer)
        }
        Fault::Handshake { .. } => {
            "if this is a plugin, its author should know; `-vv` shows all that it logs".to_owned()
        }
        _ => return None,
    };
    Some(text)
}

/// What plugins say when they miss their cookie: those of the Go library, of this project, and others.
const BY_HAND: [&str; 5] =
    ["executed directly", "magic cookie", "run by hand", "is a plugin", "is a go-plugin"];

fn misses_its_cookie(stderr: &[String]) -> bool {
    let said = stderr.join(" ").to_lowercase();
    BY_HAND.iter().any(|words| said.contains(words))
}

fn cookie(target: &Target) -> String {
    let key = &target.cookie.key;
    if target.cookie_given {
        format!("it is a plugin, but {key} is not its cookie, or has another value")
    } else {
        format!(
            "it is a plugin of an application with another magic cookie than {key}: give that one \
             with --cookie KEY=VALUE; the application's source names it"
        )
    }
}
