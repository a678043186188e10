//! How fast a manifest of a million lines is read: `cargo run --release -p wharf-plugin-file --example parse`.
use std::io::Write;
use std::time::Instant;

use wharf_plugin_file::manifest::{Next, Reader, line};

const LINES: u64 = 1_000_000;
const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = Vec::new();
    for n in 0..LINES {
        line::write(&mut text, &format!("pool/main/{}/file-{n}.bin", n % 100), SUM, n);
    }
    let begun = Instant::now();
    let mut reader = Reader::new(text.as_slice(), "PULP_MANIFEST");
    let mut files = 0_u32;
    while let Some(next) = reader.read_next()? {
        files += u32::from(matches!(next, Next::File(_)));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let megabytes = f64::from(u32::try_from(text.len())?) / 1e6;
    let (speed, rate) = (megabytes / seconds, f64::from(files) / seconds);
    writeln!(
        std::io::stdout(),
        "{files} lines, {megabytes:.0} MB in {seconds:.2} s: {speed:.0} MB/s, {rate:.0} lines/s"
    )?;
    Ok(())
}
