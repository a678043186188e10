//! The executable of the webdav plugin.

use std::process::ExitCode;

fn main() -> ExitCode {
    wharf_plugin_webdav::plugin().serve()
}
