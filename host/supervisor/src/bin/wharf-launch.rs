//! The guardian of one plugin: started by a host, never by hand.
//!
//! Holds nothing but the call of [`wharf_supervisor::guardian_main`], so that it starts fast.

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    wharf_supervisor::guardian_main().unwrap_or_else(|| {
        let text = "wharf-launch is started by a wharf host to guard a plugin; it does nothing by itself.\n";
        std::io::stderr().write_all(text.as_bytes()).ok();
        ExitCode::from(2)
    })
}
