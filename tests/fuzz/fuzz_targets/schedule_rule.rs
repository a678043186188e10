//! See [`wharf_fuzz::targets::schedule_rule`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::schedule_rule(bytes));
