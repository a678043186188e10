//! What is fuzzed. See `README.md`; the functions are in [`targets`], which the replay of the
//! corpora shares.

pub mod targets;
