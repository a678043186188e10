//! Real programs on both sides. `tests/run` installs what they need; a program that is missing fails its test.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on ends by a panic, and runs the programs that users run"
)]

mod files;
mod python;
