//! Several plugins in one program.

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;

use super::{Server, StartError, edge};

/// A program that is one of several plugins, as its only argument says: `my-plugins greeter`.
///
/// ```no_run
/// # use wharf_sdk::goplugin::{Mux, Server};
/// # fn greeter() -> Server { Server::new("A", "B") }
/// # fn counter() -> Server { Server::new("A", "B") }
/// fn main() -> std::process::ExitCode {
///     Mux::new().kind("greeter", greeter).kind("counter", counter).serve()
/// }
/// ```
#[derive(Default)]
pub struct Mux {
    kinds: BTreeMap<String, Box<dyn FnOnce() -> Server>>,
}

impl Mux {
    /// With no kind at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more kind. Only the one that is asked for is made.
    #[must_use]
    pub fn kind(
        mut self,
        name: impl Into<String>,
        server: impl FnOnce() -> Server + 'static,
    ) -> Self {
        self.kinds.insert(name.into(), Box::new(server));
        self
    }

    /// Serves the kind that the argument names; see [`Server::serve`]. Without exactly one known name, it says what
    /// there is and ends with status 1.
    pub fn serve(self) -> ExitCode {
        match self.choose(&edge::arguments()) {
            Ok(server) => server.serve(),
            Err(error) => edge::exit(Err(error)),
        }
    }

    fn choose(mut self, arguments: &[String]) -> Result<Server, StartError> {
        let given = match arguments {
            [] => "no argument".to_owned(),
            [name] => match self.kinds.remove(name) {
                Some(server) => return Ok(server()),
                None => format!("{name:?}"),
            },
            more => format!("{} arguments", more.len()),
        };
        Err(StartError::Kind { kinds: self.kinds.into_keys().collect(), given })
    }
}

impl fmt::Debug for Mux {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mux").field(&self.kinds.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(arguments: &[&str]) -> Result<Server, StartError> {
        let kind = |name: &str| {
            let name = name.to_owned();
            move || Server::new(name, "value")
        };
        let kinds = Mux::new().kind("one", kind("one")).kind("two", kind("two"));
        kinds.choose(&arguments.iter().map(|&it| it.to_owned()).collect::<Vec<_>>())
    }

    // P12
    #[test]
    fn the_only_argument_names_the_kind() {
        assert_eq!(choose(&["two"]).unwrap().cookie.0, "two");
        for arguments in [&[][..], &["three"], &["one", "two"]] {
            let said = choose(arguments).unwrap_err().to_string();
            assert!(said.contains("one, two"), "{said}");
        }
    }
}
