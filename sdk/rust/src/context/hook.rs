//! What a hook can ask of the host.

use std::ops::Deref;

use super::Ask;

/// What a hook is handed besides the step: it asks as every call does, by all that [`Ask`] gives, and tells nothing but its
/// answer. Cheap to clone; clones are one and the same call.
#[derive(Clone)]
pub struct HookContext {
    ask: Ask,
}

impl HookContext {
    pub(crate) fn new(ask: Ask) -> Self {
        Self { ask }
    }
}

impl Deref for HookContext {
    type Target = Ask;

    fn deref(&self) -> &Ask {
        &self.ask
    }
}
