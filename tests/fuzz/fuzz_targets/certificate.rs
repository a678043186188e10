//! See [`wharf_fuzz::targets::certificate`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::certificate(bytes));
