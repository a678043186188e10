//! Pages in JSON.
//!
//! Source: PEP 691 (the form), 592 (yanked), 658 and 714 (metadata), 700 (sizes, times), 792 (status). Unknown keys are
//! ignored; a file whose known keys have another type than they should is skipped, and the rest of the page stands.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::{
    File, MAX_FILES, MAX_PROJECTS, Metadata, Page, PageError, Status, bounded, check_version,
    digest, locate,
};
use crate::name::normalize;

#[derive(Deserialize)]
struct Meta<'p> {
    #[serde(rename = "api-version", borrow)]
    api_version: Cow<'p, str>,
}

#[derive(Deserialize)]
struct Detail<'p> {
    #[serde(borrow)]
    meta: Meta<'p>,
    #[serde(borrow)]
    files: Vec<&'p RawValue>,
    #[serde(default, rename = "project-status", borrow)]
    status: Option<&'p RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Listed {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    requires_python: Option<String>,
    #[serde(default)]
    core_metadata: Option<Told>,
    #[serde(default)]
    dist_info_metadata: Option<Told>,
    #[serde(default)]
    yanked: Option<Yanked>,
    #[serde(default)]
    upload_time: Option<String>,
}

/// `true`, `false`, or the digests.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Whether(bool),
    Hashes(BTreeMap<String, String>),
}

/// `true`, `false`, or the reason.
#[derive(Deserialize)]
#[serde(untagged)]
enum Yanked {
    Whether(bool),
    Reason(String),
}

/// Reads the page of a project.
///
/// # Errors
/// Why it cannot be read.
pub fn page(bytes: &[u8], base: &Url) -> Result<Page, PageError> {
    let detail: Detail<'_> = serde_json::from_slice(bytes)?;
    check_version(&detail.meta.api_version)?;
    if detail.files.len() > MAX_FILES {
        return Err(PageError::Many(MAX_FILES));
    }
    let status = detail.status.and_then(|raw| serde_json::from_str::<Status>(raw.get()).ok());
    let listed = detail.files.len();
    let files: Vec<File> = detail.files.into_iter().filter_map(|raw| file(raw, base)).collect();
    Ok(Page { skipped: listed - files.len(), files, status })
}

fn file(raw: &RawValue, base: &Url) -> Option<File> {
    let listed: Listed = serde_json::from_str(raw.get()).ok()?;
    let (url, _fragment) = locate(base, &listed.url)?;
    let told = listed.core_metadata.or(listed.dist_info_metadata);
    Some(File {
        filename: bounded(listed.filename)?,
        url,
        hashes: listed.hashes.iter().filter_map(|(name, hex)| digest(name, hex)).collect(),
        size: listed.size,
        requires_python: listed.requires_python.and_then(bounded),
        metadata: told.map_or(Metadata::Missing, metadata),
        yanked: match listed.yanked {
            None | Some(Yanked::Whether(false)) => None,
            Some(Yanked::Whether(true)) => Some(String::new()),
            Some(Yanked::Reason(reason)) => Some(bounded(reason).unwrap_or_default()),
        },
        upload_time: listed.upload_time.and_then(bounded),
    })
}

fn metadata(told: Told) -> Metadata {
    match told {
        Told::Whether(false) => Metadata::Missing,
        Told::Whether(true) => Metadata::There,
        Told::Hashes(hashes) => {
            let mut good = hashes.iter().filter_map(|(name, hex)| digest(name, hex));
            let sha256 = good.find(|(name, _)| name == "sha256");
            sha256.map_or(Metadata::There, |(_, hex)| Metadata::Sha256(hex))
        }
    }
}

#[derive(Deserialize)]
struct List<'p> {
    #[serde(borrow)]
    meta: Meta<'p>,
    #[serde(borrow)]
    projects: Vec<Project<'p>>,
}

#[derive(Deserialize)]
struct Project<'p> {
    #[serde(borrow)]
    name: Cow<'p, str>,
}

/// Reads the names of all projects, normalised.
///
/// # Errors
/// Why the list cannot be read.
pub fn projects(bytes: &[u8]) -> Result<Vec<String>, PageError> {
    let list: List<'_> = serde_json::from_slice(bytes)?;
    check_version(&list.meta.api_version)?;
    if list.projects.len() > MAX_PROJECTS {
        return Err(PageError::Many(MAX_PROJECTS));
    }
    Ok(list.projects.iter().filter_map(|project| normalize(&project.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn read(version: &str, files: &str) -> Page {
        let text = format!(
            r#"{{"meta":{{"api-version":"{version}"}},"name":"x","files":[{files}],"_last":1}}"#
        );
        page(text.as_bytes(), &Url::parse("https://x.example/simple/x/").unwrap()).unwrap()
    }

    #[test]
    fn every_field_of_a_file_is_read() {
        let file = format!(
            r#"{{"filename":"x-1-py3-none-any.whl","url":"../../f/x.whl#frag","hashes":{{"SHA256":"{upper}","md5":"00"}},
                "size":7,"requires-python":">=3.6.*","core-metadata":{{"sha256":"{SUM}"}},"yanked":"broken",
                "upload-time":"2024-01-02T03:04:05.678Z","gpg-sig":true,"provenance":null}}"#,
            upper = SUM.to_uppercase()
        );
        let file = read("1.4", &file).files.remove(0);
        assert_eq!(file.url, "https://x.example/f/x.whl");
        assert_eq!(
            file.hashes.into_iter().collect::<Vec<_>>(),
            [("sha256".to_owned(), SUM.to_owned())]
        );
        assert_eq!((file.size, file.requires_python.as_deref()), (Some(7), Some(">=3.6.*")));
        assert_eq!(file.metadata, Metadata::Sha256(SUM.to_owned()));
        assert_eq!(file.yanked.as_deref(), Some("broken"));
        assert_eq!(file.upload_time.as_deref(), Some("2024-01-02T03:04:05.678Z"));
    }

    #[test]
    fn the_old_name_of_metadata_counts_only_without_the_new_one() {
        let file = |rest: &str| {
            let page =
                read("1.0", &format!(r#"{{"filename":"x-1.zip","url":"x","hashes":{{}}{rest}}}"#));
            page.files[0].metadata.clone()
        };
        assert_eq!(file(r#","dist-info-metadata":true"#), Metadata::There);
        assert_eq!(file(r#","core-metadata":false,"dist-info-metadata":true"#), Metadata::Missing);
        assert_eq!(file(r#","core-metadata":{"md5":"00"}"#), Metadata::There);
        assert_eq!(file(""), Metadata::Missing);
    }

    #[test]
    fn yanked_is_a_word_or_a_reason() {
        let yanked = |value: &str| {
            let page =
                read("1.0", &format!(r#"{{"filename":"x-1.zip","url":"x","yanked":{value}}}"#));
            page.files[0].yanked.clone()
        };
        assert_eq!(yanked("true").as_deref(), Some(""));
        assert_eq!(yanked("\"why\"").as_deref(), Some("why"));
        assert_eq!((yanked("false"), yanked("null")), (None, None));
    }

    #[test]
    fn a_file_that_makes_no_sense_is_skipped_and_the_rest_stands() {
        let page = read(
            "1.0",
            r#"{"filename":7,"url":"x"},{"url":"x"},3,{"filename":"x-1.zip","url":"ftp://h/x"},
            {"filename":"x-1.zip","url":"https://u:p@h/x"},{"filename":"x-2.zip","url":"x-2.zip"}"#,
        );
        assert_eq!((page.files.len(), page.skipped), (1, 5));
    }

    #[test]
    fn a_status_is_read_and_an_odd_one_ignored() {
        let base = Url::parse("https://x.example/").unwrap();
        let read = |status: &str| {
            let text = format!(
                r#"{{"meta":{{"api-version":"1.4"}},"files":[],"project-status":{status}}}"#
            );
            page(text.as_bytes(), &base).unwrap().status
        };
        let archived = Status { status: "archived".to_owned(), reason: Some("done".to_owned()) };
        assert_eq!(read(r#"{"status":"archived","reason":"done"}"#), Some(archived));
        assert_eq!(read("7"), None);
    }

    #[test]
    fn other_major_versions_are_refused() {
        let text = br#"{"meta":{"api-version":"2.0"},"files":[]}"#;
        let base = Url::parse("https://x.example/").unwrap();
        assert!(matches!(page(text, &base), Err(PageError::Version(_))));
        assert!(matches!(page(b"[]", &base), Err(PageError::Json(_))));
    }

    #[test]
    fn project_names_are_normalised() {
        let list = br#"{"meta":{"api-version":"1.0"},"projects":[{"name":"Foo_Bar"},{"name":"a","_x":1},{"name":"-"}]}"#;
        assert_eq!(projects(list).unwrap(), ["foo-bar", "a"]);
    }
}
