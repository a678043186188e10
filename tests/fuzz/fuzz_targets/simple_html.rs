//! See [`wharf_fuzz::targets::simple_html`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::simple_html(bytes));
