//! The executable of the image-push plugin.

use std::process::ExitCode;

fn main() -> ExitCode {
    wharf_plugin_image_push::plugin().serve()
}
