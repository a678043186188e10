//! `qemu-img convert`, with its input's format always named: a file never says itself what it is.

use std::path::Path;

use wharf_sdk::Context;
use wharf_sdk::tool::{self, Options};

use crate::Error;
use crate::order::Order;
use crate::program::Program;

const QEMU_IMG: Program = Program { name: "qemu-img", package: "qemu-utils", version: "--version" };

/// A format of `qemu-img`, and how it is written.
pub(crate) struct Driver {
    /// Its name.
    pub(crate) name: &'static str,
    /// Further arguments: compression, options of the format.
    pub(crate) arguments: Vec<&'static str>,
}

/// Writes the disk `from`, qcow2, to the new file `to`. Returns the program and its version.
///
/// # Errors
/// What [`tool::run`] fails with.
pub(crate) async fn convert(
    context: &Context,
    order: &Order,
    from: &Path,
    to: &Path,
    driver: &Driver,
) -> Result<String, Error> {
    let version = QEMU_IMG.version(context, order).await?;
    let command = QEMU_IMG
        .command()
        .args(["convert", "-p", "-f", "qcow2", "-O", driver.name])
        .args(driver.arguments.iter().copied())
        .args([from, to]);
    let options = Options::new("converting").limit(order.limit).progress(tool::percent);
    tool::run(context, &command, &options).await?;
    Ok(version)
}
