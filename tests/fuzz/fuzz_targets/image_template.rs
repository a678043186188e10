//! See [`wharf_fuzz::targets::image_template`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::image_template(bytes));
