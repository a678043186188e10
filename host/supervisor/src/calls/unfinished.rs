//! A call whose end nobody has seen yet.

use crate::connect::{Process, Taint};

/// Unless the end is seen before this is dropped, the plugin may still be busy with the call, and its
/// process is not lent again.
#[derive(Debug)]
pub(super) struct Unfinished(Option<Process>);

impl Unfinished {
    pub(super) fn new(process: &Process) -> Self {
        Self(Some(process.clone()))
    }

    pub(super) fn ended(&mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(process) = &self.0 {
            process.set_taint(Taint::Cancelled);
        }
    }
}
