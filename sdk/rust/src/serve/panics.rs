//! Panics on standard error, in the form that hosts recognise: `panic: TEXT`, where, and the way there.

use std::backtrace::Backtrace;
use std::io::Write;
use std::panic::PanicHookInfo;

/// Writes every panic to standard error. The panic itself goes on as it would: one in a call ends that call.
pub(crate) fn report() {
    std::panic::set_hook(Box::new(|panic| {
        let text = describe(panic);
        let backtrace = Backtrace::force_capture();
        // A host that no longer listens must not turn one panic into two.
        drop(std::io::stderr().write_all(format!("panic: {text}\n{backtrace}\n").as_bytes()));
    }));
}

fn describe(panic: &PanicHookInfo<'_>) -> String {
    let text = panic.payload_as_str().unwrap_or("no text");
    match panic.location() {
        Some(place) => format!("{text}\n\nat {place}"),
        None => text.to_owned(),
    }
}
