//! The executable of the smb plugin.

use std::process::ExitCode;

fn main() -> ExitCode {
    wharf_plugin_smb::plugin().serve()
}
