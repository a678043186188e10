//! Plugins made with the SDKs of other languages, and one made with none, under a real host: the same plugin in each
//! language, and the same tests for each.
//!
//! `tests/run` builds them by `sdk/LANGUAGE/check` before; what their own tests show is not shown again here.
#![allow(clippy::expect_used, reason = "a test that cannot set up its world ends by a panic")]

mod errors;
mod hello;
mod imagefactory;
mod verified;

/// Runs the tests of a module for every language.
macro_rules! in_every_language {
    ($($test:ident),+ $(,)?) => {
        $(mod $test {
            #[test]
            fn python() {
                super::$test("python");
            }

            #[test]
            fn go() {
                super::$test("go");
            }

            #[test]
            fn typescript() {
                super::$test("typescript");
            }
        })+
    };
}
pub(crate) use in_every_language;
