//! See [`wharf_fuzz::targets::guardian_frames`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wharf_fuzz::targets::guardian_frames(bytes));
