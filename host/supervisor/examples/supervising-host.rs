//! A host that starts some plugins, says so, and then does nothing until it is killed. For the
//! tests of what a killed host leaves behind, and the smallest use of the crate.
//!
//! `supervising-host RUNTIME-FOLDER PLUGIN COUNT FORKING [PATIENCE]` starts COUNT plugins at once, FORKING of them with the
//! argument `fork`, and prints one line with their process ids. With a PATIENCE, in milliseconds, it kills those that do
//! not give a sign of life within it.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use tokio::task::JoinSet;
use wharf_supervisor::{Guardian, Launch, guardian_main};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    if let Some(code) = guardian_main() {
        return Ok(code);
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<ExitCode, Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("which folder?")?;
    let plugin = args.next().ok_or("which plugin?")?;
    let count: usize = args.next().ok_or("how many?")?.parse()?;
    let forking: usize = args.next().ok_or("how many of them fork?")?.parse()?;
    let patience = args.next().map(|text| text.parse().map(Duration::from_millis)).transpose()?;
    let mut starts = JoinSet::new();
    for number in 0..count {
        let launch = Launch::new(&plugin).runtime_dir(&folder).guardian(Guardian::CurrentExe);
        let launch = launch.args((number < forking).then_some("fork"));
        let launch = match patience {
            Some(patience) => launch.heartbeat(patience / 20, patience),
            None => launch,
        };
        starts.spawn(launch.start());
    }
    let mut processes = Vec::new();
    while let Some(started) = starts.join_next().await {
        processes.push(started??);
    }
    let pids: Vec<_> = processes.iter().map(|process| process.pid().to_string()).collect();
    let mut stdout = std::io::stdout();
    stdout.write_all(format!("{}\n", pids.join(" ")).as_bytes())?;
    stdout.flush()?;
    std::future::pending().await
}
