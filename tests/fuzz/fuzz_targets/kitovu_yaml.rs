//! See [`wharf_fuzz::targets::kitovu_yaml`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::kitovu_yaml(bytes));
