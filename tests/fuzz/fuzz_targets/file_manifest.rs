//! See [`wharf_fuzz::targets::file_manifest`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::file_manifest(bytes));
