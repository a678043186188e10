//! The executable of the image-os plugin.

use std::process::ExitCode;

fn main() -> ExitCode {
    wharf_plugin_image_os::plugin().serve()
}
