//! Which version of a program it is that writes an image.

use wharf_sdk::tool::{self, Command, Options};
use wharf_sdk::{Context, Level};

use crate::Error;
use crate::order::Order;

/// The most bytes that a program says about itself.
const SAYS: usize = 16 << 10;

/// A program, and the Debian package that brings it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
    /// The argument for which it tells its version.
    pub(crate) version: &'static str,
}

impl Program {
    /// A run of it, without arguments yet.
    pub(crate) fn command(self) -> Command {
        Command::new(self.name).package(self.package)
    }

    /// Name and version.
    ///
    /// # Errors
    /// What [`tool::run`] fails with; a usage error when the program is missing.
    pub(crate) async fn version(self, context: &Context, order: &Order) -> Result<String, Error> {
        let options = Options::new("starting").limit(order.limit).level(Level::DEBUG).capture(SAYS);
        let command = self.command().arg(self.version);
        let text = tool::run(context, &command, &options).await?.text();
        Ok(found(self.name, &text))
    }
}

/// `PROGRAM VERSION`, out of what the program says of itself: its first word that begins with a digit.
fn found(program: &str, text: &str) -> String {
    let mut words = text.split(|c: char| c.is_whitespace() || "(),".contains(c));
    let version = words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    format!("{program} {}", version.unwrap_or("of an unknown version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_what_a_program_says() {
        let said = "qemu-img version 7.2.22 (Debian 1:7.2+dfsg-7)\nCopyright (c) 2003";
        assert_eq!(found("qemu-img", said), "qemu-img 7.2.22");
        assert_eq!(found("x", ""), "x of an unknown version");
    }
}
