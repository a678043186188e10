//! `--set key=value`.

use std::str::FromStr;

/// One setting as typed. The server reads the value by the type that the component's schema gives
/// the key, so it stays text here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The setting's name.
    pub(crate) key: String,
    /// Its value, as typed; may be empty.
    pub(crate) value: String,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok(Self { key: key.trim().to_owned(), value: value.to_owned() })
            }
            _ => Err("write it as key=value, such as policy=on_demand".to_owned()),
        }
    }
}
