//! How long it takes from the wish to start a plugin to its first answer, mutual TLS and guardian
//! included.
//!
//! `cargo build --release -p wharf-supervisor --bins --examples && target/release/examples/launch-time [ROUNDS]`
//! starts the example plugin so many times (200), calls `Plugin.Describe` each time, and prints the
//! distribution.

use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant};

use wharf_proto::v1::DescribeRequest;
use wharf_supervisor::{Bounds, Launch, calls};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let rounds: usize = std::env::args().nth(1).map_or(Ok(200), |rounds| rounds.parse())?;
    let plugin = std::env::current_exe()?.with_file_name("supervised-plugin");
    let bounds = Bounds::new(Duration::from_secs(10));
    let mut times = Vec::new();
    for _round in 0..rounds {
        let begun = Instant::now();
        let process = Launch::new(&plugin).start().await?;
        calls::describe(&process, DescribeRequest::default(), &bounds).await?;
        times.push(begun.elapsed());
        process.stop().await;
    }
    times.sort();
    let at =
        |percent: usize| times.get((times.len() - 1) * percent / 100).copied().unwrap_or_default();
    let text = format!("p10 {:.2?}  p50 {:.2?}  p90 {:.2?}  of {rounds}\n", at(10), at(50), at(90));
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
