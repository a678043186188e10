//! See [`wharf_fuzz::targets::deb_relation`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::deb_relation(bytes));
