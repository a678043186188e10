//! `cargo run -p wharf-codegen`: rewrites `proto/src/gen`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match wharf_codegen::generate(&wharf_codegen::proto_dir().join("src/gen")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            // Nobody is left to tell when standard error is closed.
            writeln!(std::io::stderr(), "wharf-codegen: {error}").ok();
            ExitCode::FAILURE
        }
    }
}
