//! The executable of the moodle plugin.

use std::process::ExitCode;

fn main() -> ExitCode {
    wharf_plugin_moodle::plugin().serve()
}
