//! See [`wharf_fuzz::targets::type_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::type_file(bytes));
