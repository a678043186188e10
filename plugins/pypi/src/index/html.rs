//! Pages in HTML.
//!
//! Source: PEP 503 (the form), 592 (yanked), 629 (version), 658 and 714 (metadata), 792 (status). Taken apart by a tokenizer that
//! follows the HTML standard: any page that a browser can read, this can, and anchors are all that matters in it.

use std::collections::BTreeMap;

use html5gum::{StartTag, Token, Tokenizer};
use url::Url;

use super::{
    File, MAX_FILES, MAX_PROJECTS, Metadata, Page, PageError, Status, bounded, check_version,
    digest, locate,
};
use crate::name::normalize;

/// An anchor: its attributes, and the text up to its end.
struct Anchor {
    tag: StartTag<()>,
    text: String,
}

impl Anchor {
    fn attribute(&self, name: &str) -> Option<String> {
        attribute(&self.tag, name)
    }
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    let value = tag.attributes.get(name.as_bytes())?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// Calls `each` with all anchors, in order, and the base that holds where they stand. Gives the status, if one is told.
fn anchors(
    text: &str,
    mut base: Option<Url>,
    mut each: impl FnMut(&Anchor, Option<&Url>) -> Result<(), PageError>,
) -> Result<Option<Status>, PageError> {
    let (mut status, mut reason) = (None, None);
    let mut open: Option<Anchor> = None;
    let mut based = false;
    for token in Tokenizer::new(text) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => match &**tag.name {
                b"a" => {
                    if let Some(anchor) = open.take() {
                        each(&anchor, base.as_ref())?;
                    }
                    open = Some(Anchor { tag, text: String::new() });
                }
                b"base" if !based => {
                    if let Some(link) = attribute(&tag, "href") {
                        base = base.map(|base| base.join(&link).unwrap_or(base));
                        based = true;
                    }
                }
                b"meta" => {
                    let content = attribute(&tag, "content").unwrap_or_default();
                    match attribute(&tag, "name").as_deref() {
                        Some("pypi:repository-version") => check_version(&content)?,
                        Some("pypi:project-status") => status = bounded(content),
                        Some("pypi:project-status-reason") => reason = bounded(content),
                        _ => {}
                    }
                }
                _ => {}
            },
            Token::String(string) => {
                if let Some(anchor) = open.as_mut().filter(|it| it.text.len() < 1_024) {
                    anchor.text.push_str(&String::from_utf8_lossy(&string));
                }
            }
            Token::EndTag(tag) if &**tag.name == b"a" => {
                if let Some(anchor) = open.take() {
                    each(&anchor, base.as_ref())?;
                }
            }
            _ => {}
        }
    }
    if let Some(anchor) = open {
        each(&anchor, base.as_ref())?;
    }
    Ok(status.map(|status| Status { status, reason }))
}

/// Reads the page of a project.
///
/// # Errors
/// Why it cannot be read.
pub fn page(text: &str, base: &Url) -> Result<Page, PageError> {
    let mut page = Page::default();
    let status = anchors(text, Some(base.clone()), |anchor, base| {
        if page.files.len() + page.skipped >= MAX_FILES {
            return Err(PageError::Many(MAX_FILES));
        }
        match base.and_then(|base| file(anchor, base)) {
            Some(file) => page.files.push(file),
            None => page.skipped += 1,
        }
        Ok(())
    })?;
    page.status = status;
    Ok(page)
}

fn file(anchor: &Anchor, base: &Url) -> Option<File> {
    let (url, fragment) = locate(base, &anchor.attribute("href")?)?;
    let hash = fragment.as_deref().and_then(|fragment| {
        let mut pairs = fragment.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(name, hex)| digest(name, hex))
    });
    let metadata = anchor.attribute("data-core-metadata");
    let metadata = metadata.or_else(|| anchor.attribute("data-dist-info-metadata"));
    Some(File {
        filename: bounded(anchor.text.trim().to_owned()).filter(|name| !name.is_empty())?,
        url,
        hashes: hash.into_iter().collect::<BTreeMap<_, _>>(),
        size: None,
        requires_python: anchor.attribute("data-requires-python").and_then(bounded),
        metadata: metadata.map_or(Metadata::Missing, |value| metadata_of(&value)),
        yanked: anchor.attribute("data-yanked").map(|why| bounded(why).unwrap_or_default()),
        upload_time: None,
    })
}

fn metadata_of(value: &str) -> Metadata {
    let pair = value.split_once('=').and_then(|(name, hex)| digest(name, hex));
    match pair {
        Some((name, hex)) if name == "sha256" => Metadata::Sha256(hex),
        _ if value.eq_ignore_ascii_case("false") => Metadata::Missing,
        _ => Metadata::There,
    }
}

/// Reads the names of all projects, normalised.
///
/// # Errors
/// Why the list cannot be read.
pub fn projects(text: &str) -> Result<Vec<String>, PageError> {
    let mut names = Vec::new();
    anchors(text, None, |anchor, _base| {
        if names.len() >= MAX_PROJECTS {
            return Err(PageError::Many(MAX_PROJECTS));
        }
        names.extend(normalize(anchor.text.trim()));
        Ok(())
    })?;
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn read(text: &str) -> Page {
        page(text, &Url::parse("https://x.example/simple/x/").unwrap()).unwrap()
    }

    #[test]
    fn every_attribute_is_read_and_unescaped() {
        let page = read(&format!(
            "<!DOCTYPE html><html><head><meta name=\"pypi:repository-version\" content=\"1.1\"></head><body>\
             <A HREF='../../f/x.whl?a=1&amp;b=2#sha256={SUM}' data-requires-python=\"&gt;=3.8&#44;&lt;4\"\
              data-dist-info-metadata=true data-core-metadata=\"sha256={SUM}\" data-yanked>\
              x-1-py3-none-any.whl </a><br/>"
        ));
        let file = &page.files[0];
        assert_eq!(file.filename, "x-1-py3-none-any.whl");
        assert_eq!(file.url, "https://x.example/f/x.whl?a=1&b=2");
        assert_eq!(file.hashes["sha256"], SUM);
        assert_eq!(file.requires_python.as_deref(), Some(">=3.8,<4"));
        assert_eq!(file.metadata, Metadata::Sha256(SUM.to_owned()));
        assert_eq!(file.yanked.as_deref(), Some(""));
    }

    #[test]
    fn a_base_moves_relative_addresses() {
        let page = read("<base href=\"https://cdn.example/p/\"><a href=\"x-1.zip\">x-1.zip</a>");
        assert_eq!(page.files[0].url, "https://cdn.example/p/x-1.zip");
    }

    #[test]
    fn comments_scripts_and_broken_tags_hide_no_file_and_make_none() {
        let page = read(
            "<!-- <a href=c>c-1.zip</a> --><a href=\"x-1.zip\"><b>x-1</b>.zip</a><a>none</a>\
             <a href=javascript:x>js-1.zip</a><a href=x-2.zip>x-2.zip<a href=x-3.zip>x-3.zip",
        );
        let names: Vec<_> = page.files.iter().map(|file| file.filename.as_str()).collect();
        assert_eq!((names, page.skipped), (vec!["x-1.zip", "x-2.zip", "x-3.zip"], 2));
    }

    #[test]
    fn other_major_versions_are_refused() {
        let text = "<meta name=\"pypi:repository-version\" content=\"2.0\">";
        let base = Url::parse("https://x.example/").unwrap();
        assert!(matches!(page(text, &base), Err(PageError::Version(_))));
    }

    #[test]
    fn the_text_of_an_anchor_is_the_projects_name() {
        let names =
            projects("<a href=\"/simple/foo-bar/\">Foo.Bar</a><a href='x/'>x y</a>").unwrap();
        assert_eq!(names, ["foo-bar"]);
    }
}
