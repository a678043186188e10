//! `wharf help`

use crate::api::Class;
use crate::args::Help;
use crate::error::Error;
use crate::exit::Exit;

/// `wharf help`
pub(super) fn show(args: &Help) -> Result<Exit, Error> {
    let Some(told) = args.told() else { return Ok(Exit::DONE) };
    told.print().map_err(Error::Output)?;
    Ok(if told.use_stderr() { Exit::of_class(Class::Usage) } else { Exit::DONE })
}
