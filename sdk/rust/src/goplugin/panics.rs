//! Panics in the form that hosts recognise: `panic: TEXT`, where, and the way there.

use std::backtrace::Backtrace;
use std::panic::PanicHookInfo;

use super::logging::Journal;

/// Where hosts cut lines is at 64 KiB.
const MAX_TEXT: usize = 32 << 10;

/// Writes every panic to the host's log. The panic itself goes on as it would: one in a call ends that call.
pub(super) fn report(journal: Journal) {
    std::panic::set_hook(Box::new(move |panic| {
        let text = describe(panic);
        let backtrace = Backtrace::force_capture();
        journal.write(&format!("panic: {text}\n{backtrace}\n"));
    }));
}

fn describe(panic: &PanicHookInfo<'_>) -> String {
    let text = panic.payload_as_str().unwrap_or("no text");
    let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default();
    match panic.location() {
        Some(place) => format!("{text}\n\nat {place}"),
        None => text.to_owned(),
    }
}
