//! What an S3 server writes: refusals, and lists of unfinished uploads.

use roxmltree::{Document, Node, ParsingOptions};

/// A refusal.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// An unfinished upload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Upload {
    pub(crate) key: String,
    pub(crate) id: String,
}

/// Some of the unfinished uploads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) uploads: Vec<Upload>,
    /// Key and id that the next page begins after.
    pub(crate) next: Option<(String, String)>,
}

/// Reads a refusal; None: it is none.
pub(crate) fn error(text: &str) -> Option<Refusal> {
    let document = parse(text).ok()?;
    let root = document.root_element();
    if root.tag_name().name() != "Error" {
        return None;
    }
    Some(Refusal { code: child(root, "Code"), message: child(root, "Message") })
}

/// Reads a list of unfinished uploads.
pub(crate) fn uploads(text: &str) -> Result<Page, String> {
    let document = parse(text)?;
    let root = document.root_element();
    if root.tag_name().name() != "ListMultipartUploadsResult" {
        return Err(format!("<{}> instead of a list of uploads", root.tag_name().name()));
    }
    let uploads = root.children().filter(|node| node.tag_name().name() == "Upload");
    let upload = |node| Upload { key: child(node, "Key"), id: child(node, "UploadId") };
    let next = (child(root, "NextKeyMarker"), child(root, "NextUploadIdMarker"));
    let goes_on = child(root, "IsTruncated") == "true" && !next.0.is_empty();
    Ok(Page { uploads: uploads.map(upload).collect(), next: goes_on.then_some(next) })
}

/// Documents with their own entities are refused: those can grow without end.
fn parse(text: &str) -> Result<Document<'_>, String> {
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| error.to_string())
}

fn child(node: Node<'_, '_>, name: &str) -> String {
    let found = node.children().find(|child| child.tag_name().name() == name);
    found.and_then(|child| child.text()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_with_and_without_a_namespace() {
        for head in ["<Error>", "<?xml version=\"1.0\"?>\n<Error xmlns=\"urn:x\">"] {
            let text = format!("{head}<Code>NoSuchBucket</Code><Message>none</Message></Error>");
            let (code, message) = ("NoSuchBucket".to_owned(), "none".to_owned());
            assert_eq!(error(&text), Some(Refusal { code, message }));
        }
        assert_eq!(error("<html/>"), None);
        assert_eq!(error("no xml"), None);
    }

    #[test]
    fn a_list_goes_on_only_when_it_says_where() {
        let list = |rest: &str| {
            let upload = "<Upload><Key>a/b</Key><UploadId>1</UploadId></Upload>";
            uploads(&format!(
                "<ListMultipartUploadsResult>{upload}{rest}</ListMultipartUploadsResult>"
            ))
        };
        let page = list("<IsTruncated>false</IsTruncated>").unwrap();
        assert_eq!((page.uploads[0].key.as_str(), page.next), ("a/b", None));
        assert_eq!(list("<IsTruncated>true</IsTruncated>").unwrap().next, None);
        let next = "<NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>2</NextUploadIdMarker>";
        let page = list(&format!("<IsTruncated>true</IsTruncated>{next}")).unwrap();
        assert_eq!(page.next, Some(("k".to_owned(), "2".to_owned())));
        assert!(uploads("<Error/>").is_err());
    }
}
