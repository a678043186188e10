//! The executable of the pypi plugin.

use std::process::ExitCode;

fn main() -> ExitCode {
    wharf_plugin_pypi::plugin().serve()
}
