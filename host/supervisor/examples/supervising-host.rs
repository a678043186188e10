//! A host that starts some plugins, says so, and then does nothing until it is killed. For the
//! tests of what a killed host leaves behind, and the smallest use of the crate.
//!
//! `supervising-host RUNTIME-FOLDER COUNT PLUGIN [ARGUMENT]...` prints one line with the plugins' process ids.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use wharf_supervisor::{Launch, guardian_main};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    if let Some(code) = guardian_main() {
        return Ok(code);
    }
    tokio::runtime::Runtime::new()?.block_on(run())
}

async fn run() -> Result<ExitCode, Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("which folder?")?;
    let count: usize = args.next().ok_or("how many?")?.parse()?;
    let plugin = args.next().ok_or("which plugin?")?;
    let rest: Vec<String> = args.collect();
    let mut processes = Vec::new();
    for _one in 0..count {
        processes.push(Launch::new(&plugin).args(rest.clone()).runtime_dir(&folder).start().await?);
    }
    let pids: Vec<_> = processes.iter().map(|process| process.pid().to_string()).collect();
    let mut stdout = std::io::stdout();
    stdout.write_all(format!("{}\n", pids.join(" ")).as_bytes())?;
    stdout.flush()?;
    std::future::pending().await
}
