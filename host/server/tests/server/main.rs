//! A server as its clients meet it: over its socket and its port, with a real engine behind it.

#![allow(missing_docs, reason = "a test binary has no readers of its documentation")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests both are how one fails")]

mod api;
mod content;
mod forms;
mod hostile;
mod life;
mod support;
