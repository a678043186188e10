//! See [`wharf_fuzz::targets::folder_name`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::folder_name(bytes));
