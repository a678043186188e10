//! See [`wharf_fuzz::targets::python_sdist`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::python_sdist(bytes));
