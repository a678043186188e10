//! See [`wharf_fuzz::targets::openpgp`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::openpgp(bytes));
