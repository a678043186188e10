//! The program `wharf`: a client of its own HTTP API.
//!
//! `args` reads the command line, `session` finds the server of the data folder or runs one inside
//! this process, `commands` ask it over `client`, `render` turns answers into text, `output` writes
//! it. The environment is read in `environment` and nowhere else. It never touches database, blobs
//! or plugins itself; only `probe` starts one, for those who look at a plugin without a server.

mod api;
mod app;
mod args;
mod client;
mod commands;
mod demo;
mod dev;
mod environment;
mod error;
mod exit;
mod interrupts;
mod logging;
mod output;
mod probe;
mod render;
mod session;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use app::{App, Staying};
use args::Cli;
use environment::Environment;
use error::Error;
use exit::Exit;
use interrupts::{Hangups, Interrupts};
use output::Output;
use render::json::Failure;
use terminal::Terminal;

fn main() -> ExitCode {
    if let Some(code) = wharf_supervisor::guardian_main() {
        return code;
    }
    let cli = Cli::parse();
    let environment = Environment::read(|name| std::env::var_os(name));
    logging::start(&environment, &cli.command, &cli.global);
    let terminal = Terminal::ask(&environment);
    let app = App {
        data: cli.global.data,
        runtime: cli.global.runtime_dir,
        verbose: cli.global.verbose,
        environment,
        executable: std::env::current_exe().unwrap_or_default(),
        output: Output::standard(cli.global.output, cli.global.quiet),
        terminal,
        zone: jiff::tz::TimeZone::system(),
        serve: staying(&cli.command),
        secrets: cli.global.secrets,
        interrupts: Interrupts::new(),
    };
    let ended = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let ended = runtime.block_on(run(&app, cli.command));
            // What still runs now was left on purpose, by a second Ctrl-C.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(Error::Signals(error)),
    };
    ExitCode::from(end(&app, ended).code())
}

fn staying(command: &args::Command) -> Option<Staying> {
    match command {
        args::Command::Serve(serve) => Some(Staying {
            history: serve.history(),
            queues: serve.queues(),
            keep_free: serve.keep_free(),
        }),
        _ => None,
    }
}

/// Does what was asked, unless a second signal ends it first.
async fn run(app: &App, command: args::Command) -> Result<Exit, Error> {
    let hangups =
        if matches!(command, args::Command::Serve(_)) { Hangups::Ignored } else { Hangups::Count };
    tokio::select! {
        ended = commands::dispatch(app, command) => ended,
        left = app.interrupts.listen(hangups) => Err(left.err().unwrap_or(Error::Interrupted)),
    }
}

/// Tells what went wrong, and gives the exit status.
fn end(app: &App, ended: Result<Exit, Error>) -> Exit {
    let error = match (ended, app.output.flush()) {
        // Nobody reading on changes nothing about how the work ended.
        (Ok(exit), Ok(()) | Err(Error::ClosedOutput)) => return exit,
        (Err(Error::ClosedOutput), _) => return Exit::DONE,
        (Err(error), _) | (Ok(_), Err(error)) => error,
    };
    let interrupted = matches!(error, Error::Interrupted);
    let problem = error.into_problem();
    let exit = Exit::of_class(problem.class);
    if !interrupted {
        app.output.tell(&render::problem::render(&problem));
    }
    if app.output.is_json() {
        // Nothing more can be done when this fails too; the status tells it anyway.
        let _unwritten = app.output.json(&Failure { problem: &problem, exit: exit.code() });
    }
    exit
}
