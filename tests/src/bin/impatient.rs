//! `wharf serve` with little patience: the same server, whose waits for silent plugins and silent upstreams end after
//! a second or two, which keeps processes that nobody uses, and uploads that nobody goes on with, no longer than that,
//! and which tries callbacks again after a tenth of a second. Tests of silence would take minutes otherwise.
//!
//! It takes the arguments of `wharf serve --listen ADDR` and the variables that a test's host sets, logs to standard
//! error, and ends in good order at SIGTERM.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "the edge of a program: reads its environment, tells why it cannot start"
)]

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use wharf_server::{Config, Server};
use wharf_supervisor::{SearchPath, standard_runtime_dir};

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(serve()),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot serve: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let data = PathBuf::from(env::var("WHARF_DATA")?);
    let plugins = [PathBuf::from(env::var("WHARF_PLUGIN_PATH")?)];
    let search = SearchPath::standard(&data, &plugins, &env::current_exe()?);
    let runtime = env::var_os("WHARF_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.unwrap_or_else(|| standard_runtime_dir(&data));
    let mut engine = wharf_engine::Config::new(data, search, runtime);
    engine.start_timeout = Duration::from_millis(2500);
    engine.stall_timeout = Duration::from_secs(15);
    engine.heartbeat = Duration::from_millis(300);
    engine.heartbeat_timeout = Duration::from_secs(2);
    engine.grace = Duration::from_millis(300);
    engine.idle = Some(Duration::from_secs(2));
    engine.uploads.age = Duration::from_secs(3);
    engine.fetch.stall_timeout = Duration::from_millis(800);
    engine.callbacks.timeout = Duration::from_secs(2);
    engine.callbacks.delays = [50, 50, 100, 100, 100].map(Duration::from_millis).into();
    let listen = env::args().nth(3).ok_or("usage: wharf-impatient-host serve --listen ADDR")?;
    let listen = Some(listen.parse()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let server = Server::start(Config { engine, listen, embedded: false }).await?;
    terminate.recv().await;
    server.shutdown().await;
    Ok(())
}
