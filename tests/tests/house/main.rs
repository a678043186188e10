//! The rules of the house that no compiler keeps: who may depend on whom, small documented files, links that lead
//! somewhere, nothing of one machine in the texts, and a test for every fault that has a promise.
#![allow(
    clippy::panic,
    clippy::expect_used,
    reason = "a rule that is broken ends in a panic that names the place"
)]

mod code;
mod faults;
mod files;
mod guide;
mod manifests;
mod texts;
