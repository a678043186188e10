//! See [`wharf_fuzz::targets::python_wish`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::python_wish(bytes));
