//! See [`wharf_fuzz::targets::log_line`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::log_line(bytes));
