//! See [`wharf_fuzz::targets::moodle_listing`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::moodle_listing(bytes));
