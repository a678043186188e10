//! Takes out of a plugin's lines what nobody may read there.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

/// Changes a line before it is logged, kept or listened to. Default: it stays as it is.
#[derive(Clone, Default)]
pub struct Mask {
    change: Option<Arc<dyn Fn(&str) -> String + Send + Sync>>,
}

impl Mask {
    /// Lines are what `change` makes of them. It must be quick: it sees every line of every plugin.
    pub fn new(change: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self { change: Some(Arc::new(change)) }
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.apply(std::mem::take(text)),
            Value::Array(values) => values.iter_mut().for_each(|value| self.value(value)),
            Value::Object(map) => map.values_mut().for_each(|value| self.value(value)),
            _ => {}
        }
    }

    pub(super) fn apply(&self, text: String) -> String {
        match &self.change {
            Some(change) => change(&text),
            None => text,
        }
    }
}

impl super::Entry {
    /// The line, its fields included, as it may be shown.
    pub(super) fn mask(&mut self, mask: &Mask) {
        if mask.change.is_some() {
            self.text = mask.apply(std::mem::take(&mut self.text));
            self.fields.values_mut().for_each(|value| mask.value(value));
        }
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mask").field("set", &self.change.is_some()).finish()
    }
}
