//! `cargo run -p wharf-codegen`: rewrites `proto/src/gen` and the code of services that only tests speak.

use std::process::ExitCode;

use wharf_codegen::{Error, SAMPLES, generate, proto_dir};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            // Nobody is left to tell when standard error is closed.
            writeln!(std::io::stderr(), "wharf-codegen: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    generate(&proto_dir().join("src/gen"))?;
    SAMPLES.iter().try_for_each(|sample| sample.generate(&sample.dir()))
}
