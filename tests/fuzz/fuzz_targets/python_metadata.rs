//! See [`wharf_fuzz::targets::python_metadata`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::python_metadata(bytes));
