//! The executable of the smb plugin.

use std::process::ExitCode;

/// Large files pass through by pieces of a megabyte. The system's allocator gives such pieces back at once and gets them
/// anew, and their pages with them: two thirds of what a large file cost this process.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    wharf_plugin_smb::plugin().serve()
}
