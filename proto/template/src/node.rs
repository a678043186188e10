//! What all three forms become: a tree of values that know their places.

use crate::problem::Place;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Number(String),
    Bool(bool),
    List(Vec<Node>),
    /// Names are unique; each with its own place.
    Record(Vec<(String, Place, Node)>),
    /// Anything that no template holds, by what people call it.
    Other(&'static str),
}

impl Value {
    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Record(_) => "a group of fields",
            Self::Other(kind) => kind,
        }
    }
}
