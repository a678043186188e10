//! `wharf plugin verify`: the conformance kit on the command line. Needs no server.

use std::path::Path;

use serde_json::json;
use wharf_conformance::{
    Error as Refused, Outcome, Report, Row, Subject, Wishes, junit, list, verify as run,
};
use wharf_supervisor::Guardian;

use crate::app::App;
use crate::args::PluginVerify;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::conformance::{cases, report as render};

/// `wharf plugin verify`
pub(super) async fn verify(app: &App, args: PluginVerify) -> Result<Exit, Error> {
    let Some(path) = args.path.as_deref().filter(|_| !args.list) else {
        return tell_cases(app);
    };
    let subject =
        Subject::find(path, app.executable.parent(), &args.set).map_err(|error| refused(&error))?;
    let wishes = Wishes {
        level: args.level,
        only: args.only,
        start_timeout: args.timeout,
        guardian: guardian(app),
    };
    let report = tokio::select! {
        report = run(&subject, wishes, |row| follow(app, row)) => report.map_err(|error| refused(&error))?,
        () = app.interrupts.unguarded() => return Err(Error::Interrupted),
    };
    if let Some(file) = &args.junit {
        write(file, &report)?;
    }
    if app.output.is_json() {
        app.output.json(&json!({ "verify": report }))?;
    } else {
        app.output.data(&render(&report))?;
    }
    Ok(if report.is_reached() { Exit::DONE } else { Exit::FAILED })
}

fn tell_cases(app: &App) -> Result<Exit, Error> {
    let all: Vec<_> = list().collect();
    if app.output.is_json() {
        app.output.json(&json!({ "cases": all }))?;
    } else {
        app.output.data(&cases(&all, app.terminal.width))?;
    }
    Ok(Exit::DONE)
}

/// Installed alone, this program guards; `main` begins with `guardian_main`.
fn guardian(app: &App) -> Guardian {
    let beside = app.executable.with_file_name("wharf-launch").exists();
    if beside { Guardian::default() } else { Guardian::CurrentExe }
}

/// The whole takes a while; `-v` shows each case as it ends.
fn follow(app: &App, row: &Row) {
    if app.verbose == 0 {
        return;
    }
    let word = match row.outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::Skipped => "skipped",
    };
    app.output.tell(&format!("{} {}: {word}, {:.0} ms", row.case, row.of, row.took_ms));
}

fn write(file: &Path, report: &Report) -> Result<(), Error> {
    std::fs::write(file, junit(report)).map_err(|error| {
        Error::usage(
            format!("{} cannot be written: {error}", file.display()),
            "name another file with --junit",
        )
    })
}

fn refused(error: &Refused) -> Error {
    let help = match error {
        Refused::NoCase { .. } => "name a case as `wharf plugin verify --list` does",
        Refused::Sample { .. } => "host/conformance/README.md says what verify.json may hold",
        _ => "name the folder of a plugin that is built, with its plugin.json",
    };
    Error::usage(error.to_string(), help)
}
