//! The executable of the image-cloud plugin.

use std::process::ExitCode;

fn main() -> ExitCode {
    wharf_plugin_image_cloud::plugin().serve()
}
