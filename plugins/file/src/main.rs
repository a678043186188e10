//! The executable of the file plugin.

use std::process::ExitCode;

fn main() -> ExitCode {
    wharf_plugin_file::plugin().serve()
}
