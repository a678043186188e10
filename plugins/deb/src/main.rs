//! The executable of the deb plugin.

use std::process::ExitCode;

fn main() -> ExitCode {
    wharf_plugin_deb::plugin().serve()
}
