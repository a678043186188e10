//! Made-up units, and the settings that say how many and which.

use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tonic::Status;
use wharf_proto::v1;

/// The settings of all three components.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) fault: String,
    pub(crate) units: u32,
    pub(crate) batch: usize,
    pub(crate) seed: u64,
    pub(crate) delay_ms: u64,
    pub(crate) path: String,
    pub(crate) target: String,
    pub(crate) url: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fault: String::new(),
            units: 20,
            batch: 5,
            seed: 1,
            delay_ms: 0,
            path: "../../escape".to_owned(),
            target: "../../escape".to_owned(),
            url: String::new(),
        }
    }
}

impl Settings {
    pub(crate) fn of(
        attachment: Option<&v1::Attachment>,
        components: &[&str],
    ) -> Result<Self, Status> {
        let named = attachment.and_then(|attachment| attachment.instance.as_ref());
        let named = named.map_or("", |instance| instance.component.as_str());
        if !components.contains(&named) {
            return Err(Status::not_found(format!("there is no component {named:?}")));
        }
        let text = attachment.map_or("{}", |attachment| attachment.settings.as_str());
        let text = if text.is_empty() { "{}" } else { text };
        serde_json::from_str(text).map_err(|error| Status::invalid_argument(error.to_string()))
    }
}

/// Where the unit of this number lies.
pub(crate) fn path(number: u32) -> String {
    format!("d{:03}/u{number:06}.txt", number / 100)
}

/// The number of the unit that lies there.
pub(crate) fn number(path: &str) -> Option<u32> {
    path.rsplit_once('u')?.1.strip_suffix(".txt")?.parse().ok()
}

/// The bytes of the unit of this number.
pub(crate) fn bytes(number: u32, seed: u64) -> Vec<u8> {
    format!("unit {number} of seed {seed}\n").into_bytes()
}

/// The unit of this number, its bytes inline or behind the address of the settings.
pub(crate) fn unit(number: u32, settings: &Settings) -> v1::Unit {
    let path = path(number);
    let bytes = bytes(number, settings.seed);
    let mut file =
        v1::File { path: path.clone(), media_type: "text/plain".to_owned(), ..v1::File::default() };
    if settings.url.is_empty() {
        file.size = Some(bytes.len() as u64);
        file.digests = vec![format!("sha256:{}", hex(&Sha256::digest(&bytes)))];
        file.inline = Some(bytes);
    } else {
        let url = format!("{}{path}", settings.url);
        file.sources = vec![v1::Source { url, ..v1::Source::default() }];
    }
    v1::Unit {
        r#type: "odd".to_owned(),
        key: json!({ "path": path }).to_string(),
        attributes: "{}".to_owned(),
        files: vec![file],
        ..v1::Unit::default()
    }
}

/// The listed item of this number; its bytes come by Fetch.
pub(crate) fn listed(number: u32, settings: &Settings) -> v1::ListedItem {
    let mut unit = unit(number, settings);
    for file in &mut unit.files {
        file.inline = None;
        file.digests.clear();
    }
    v1::ListedItem { unit: Some(unit), revision: format!("r{}", settings.seed), modified_ms: 0 }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}
