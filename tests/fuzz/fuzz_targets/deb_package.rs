//! See [`wharf_fuzz::targets::deb_package`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::deb_package(bytes));
