//! A folder of published files, as a page for people and as JSON for programs.
//!
//! The page is plain HTML without script or style. Names come from upstream and are shown as
//! text, whatever they hold (F147); links are relative and begin with `./`, so a name with a
//! colon is not taken for a scheme.

use std::fmt::Write as _;

use http::HeaderMap;
use http::header;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use wharf_store::model::DirEntry;

/// What a name in a link may keep: RFC 3986's unreserved characters.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The folder's path below `/content/`, without slash at the end; empty: the root.
    pub path: String,
    /// What is in it: folders first, then files, each by name.
    pub entries: Vec<ListingEntry>,
    /// There is more than is listed.
    pub more: bool,
}

/// One line of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingEntry {
    /// Its name within the folder.
    pub name: String,
    /// Whether it is a folder.
    pub directory: bool,
    /// A file's size in bytes, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When a file changed last, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_ms: Option<i64>,
}

impl From<DirEntry> for ListingEntry {
    fn from(entry: DirEntry) -> Self {
        let DirEntry { name, is_dir, size, modified_ms } = entry;
        Self { name, directory: is_dir, size, modified_ms }
    }
}

impl Listing {
    /// Puts the entries in order.
    pub(crate) fn sort(&mut self) {
        self.entries.sort_by(|a, b| (!a.directory, &a.name).cmp(&(!b.directory, &b.name)));
    }

    /// The page for people.
    pub(crate) fn html(&self) -> String {
        let title = escape(&format!("/{}", self.path));
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
             <body>\n<h1>{title}</h1>\n<table>\n\
             <tr><th>Name</th><th>Size</th><th>Modified (UTC)</th></tr>\n"
        );
        if !self.path.is_empty() {
            page.push_str("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
        }
        for entry in &self.entries {
            row(&mut page, entry);
        }
        page.push_str("</table>\n");
        if self.more {
            page.push_str("<p>This folder holds more than is listed here.</p>\n");
        }
        page.push_str("</body>\n</html>\n");
        page
    }
}

fn row(page: &mut String, entry: &ListingEntry) {
    let slash = if entry.directory { "/" } else { "" };
    let link = link(&entry.name);
    let name = escape(&entry.name);
    let size = entry.size.map_or_else(String::new, |size| size.to_string());
    let date = entry.modified_ms.and_then(day).unwrap_or_default();
    // Writing to a string cannot fail.
    let _written = writeln!(
        page,
        "<tr><td><a href=\"./{link}{slash}\">{name}{slash}</a></td>\
         <td align=\"right\">{size}</td><td>{date}</td></tr>"
    );
}

/// A name as a segment of a link.
pub(crate) fn link(name: &str) -> String {
    utf8_percent_encode(name, KEPT).to_string()
}

fn day(ms: i64) -> Option<String> {
    let time = jiff::Timestamp::from_millisecond(ms).ok()?;
    Some(time.strftime("%Y-%m-%d %H:%M").to_string())
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// Whether the client would rather have JSON than a page. Source: RFC 9110, 12.5.1.
pub(crate) fn wants_json(headers: &HeaderMap) -> bool {
    let mut json = 0.0;
    let mut html = 0.0;
    for value in headers.get_all(header::ACCEPT) {
        for choice in value.to_str().unwrap_or_default().split(',') {
            let mut parts = choice.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts
                .find_map(|part| part.strip_prefix("q="))
                .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0));
            match media.as_str() {
                "application/json" => json = weight,
                "text/html" => html = weight,
                _ => {}
            }
        }
    }
    json > html
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn file(name: &str) -> ListingEntry {
        ListingEntry {
            name: name.to_owned(),
            directory: false,
            size: Some(1234),
            modified_ms: Some(1_795_255_200_000),
        }
    }

    fn folder(name: &str) -> ListingEntry {
        ListingEntry { name: name.to_owned(), directory: true, size: None, modified_ms: None }
    }

    #[test]
    fn a_page_lists_folders_first_with_sizes_and_dates() {
        let mut listing = Listing {
            path: "a/b".to_owned(),
            entries: vec![file("z.txt"), folder("sub"), file("a.txt")],
            more: true,
        };
        listing.sort();
        let page = listing.html();
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not in {page}"));
        assert!(at("./sub/\">sub/") < at("./a.txt\">a.txt"));
        assert!(at("./a.txt\">a.txt") < at("./z.txt\">z.txt"));
        assert!(page.contains("<td align=\"right\">1234</td><td>2026-11-21 10:00</td>"));
        assert!(page.contains("href=\"../\""));
        assert!(page.contains("more than is listed"));
    }

    // F147
    #[test]
    fn markup_in_names_is_shown_as_text() {
        let listing = Listing {
            path: "<script>alert(1)</script>".to_owned(),
            entries: vec![
                file("\"><img src=x onerror='x'>&.txt"),
                file("javascript:alert(1)"),
                folder("../up"),
            ],
            more: false,
        };
        let page = listing.html();
        assert!(!page.contains("<script"));
        assert!(!page.contains("<img"));
        assert!(page.contains("&quot;&gt;&lt;img src=x onerror=&#39;x&#39;&gt;&amp;.txt"));
        assert!(page.contains("href=\"./javascript%3Aalert%281%29\""));
        assert!(page.contains("href=\"./..%2Fup/\""));
    }

    #[test]
    fn json_is_for_those_who_ask_for_it() {
        let check = |accept: &'static str, expected| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(wants_json(&headers), expected, "{accept}");
        };
        assert!(!wants_json(&HeaderMap::new()));
        check("*/*", false);
        check("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false);
        check("application/json", true);
        check("application/json;q=0.5, text/html;q=0.6", false);
        check("Application/JSON; q=0.9, text/html; q=0.1", true);
        check("application/json;q=nan", false);
    }
}
