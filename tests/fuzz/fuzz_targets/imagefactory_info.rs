//! See [`wharf_fuzz::targets::imagefactory_info`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::imagefactory_info(bytes));
