//! See [`wharf_fuzz::targets::target_content`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::target_content(bytes));
