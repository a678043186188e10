use futures_util::FutureExt as _;

use super::*;

/// What lies in memory is read without waiting.
fn listed(text: &str) -> Result<Vec<Response>, ReadError> {
    read(text.as_bytes()).now_or_never().unwrap()
}

fn one(text: &str) -> Response {
    let mut all = listed(text).unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn file(href: &str, size: Option<u64>, changed: Option<u64>, tag: &str) -> Response {
    let (href, tag) = (href.to_owned(), ETag::read(tag));
    Response { href, refused: None, is_folder: Some(false), size, changed, tag }
}

/// Properties that a server does not have come in a part of their own.
#[test]
fn an_answer_as_nextcloud_writes_it() {
    let text = r#"<?xml version="1.0"?>
<d:multistatus xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns" xmlns:oc="http://owncloud.org/ns"><d:response>
<d:href>/remote.php/dav/files/ada/Week%201/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype>
<d:getlastmodified>Fri, 06 Mar 2026 10:00:00 GMT</d:getlastmodified><d:getetag>&quot;69aa&quot;</d:getetag></d:prop>
<d:status>HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop><d:getcontentlength/></d:prop>
<d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response><d:response>
<d:href>/remote.php/dav/files/ada/Week%201/plan.txt</d:href><d:propstat><d:prop><d:resourcetype/>
<d:getcontentlength>17</d:getcontentlength><d:getlastmodified>Fri, 06 Mar 2026 10:00:01 GMT</d:getlastmodified>
<d:getetag>"0d1e"</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"#;
    let all = listed(text).unwrap();
    assert_eq!((all[0].is_folder, all[0].size), (Some(true), None));
    assert_eq!(all[0].tag.as_ref().map(ETag::as_str), Some("\"69aa\""));
    let plan = "/remote.php/dav/files/ada/Week%201/plan.txt";
    assert_eq!(all[1], file(plan, Some(17), Some(1_772_791_201), "\"0d1e\""));
}

/// Types of values as attributes, whole addresses, dates that are not asked for.
#[test]
fn an_answer_as_iis_writes_it() {
    let text = r#"<?xml version="1.0" encoding="utf-8"?><a:multistatus
 xmlns:b="urn:uuid:c2f41010-65b3-11d1-a29f-00aa00c14882/" xmlns:c="xml:" xmlns:a="DAV:"><a:response>
<a:href>http://server.example/share/a%20b.docx</a:href><a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop>
<a:getcontentlength b:dt="int">31</a:getcontentlength><a:resourcetype/>
<a:getetag>"9c5bd9a1:0"</a:getetag><a:getlastmodified b:dt="dateTime.rfc1123">Fri, 06 Mar 2026 10:00:01 GMT</a:getlastmodified>
</a:prop></a:propstat></a:response></a:multistatus>"#;
    let href = "http://server.example/share/a%20b.docx";
    assert_eq!(one(text), file(href, Some(31), Some(1_772_791_201), "\"9c5bd9a1:0\""));
}

/// No tags, and what is missing is not mentioned.
#[test]
fn an_answer_as_nginx_writes_it() {
    let text = "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n<D:multistatus xmlns:D=\"DAV:\">\n<D:response>\n\
         <D:href>/files/a.bin</D:href>\n<D:propstat>\n<D:prop>\n<D:getcontentlength>5</D:getcontentlength>\n\
         <D:getlastmodified>Fri, 06 Mar 2026 10:00:01 GMT</D:getlastmodified>\n<D:resourcetype></D:resourcetype>\n\
         </D:prop>\n<D:status>HTTP/1.1 200 OK</D:status>\n</D:propstat>\n</D:response>\n</D:multistatus>\n";
    assert_eq!(one(text), file("/files/a.bin", Some(5), Some(1_772_791_201), ""));
}

/// Prefixes are bound where they are used, and one namespace has several.
#[test]
fn an_answer_as_apache_writes_it() {
    let text = r#"<?xml version="1.0" encoding="utf-8"?>
<D:multistatus xmlns:D="DAV:" xmlns:ns0="DAV:">
<D:response xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/">
<D:href>/dav/%c3%bc.txt</D:href><D:propstat><D:prop><lp1:resourcetype/><lp1:getcontentlength>3</lp1:getcontentlength>
<lp1:getlastmodified>Fri, 06 Mar 2026 10:00:01 GMT</lp1:getlastmodified><lp1:getetag>W/"3-64c"</lp1:getetag></D:prop>
<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"#;
    assert_eq!(one(text), file("/dav/%c3%bc.txt", Some(3), Some(1_772_791_201), "W/\"3-64c\""));
}

fn wrapped(inner: &str) -> String {
    format!("<multistatus xmlns=\"DAV:\">{inner}</multistatus>")
}

#[test]
fn what_may_not_be_looked_at_says_so() {
    let of_all = "<response><href>/a</href><status>HTTP/1.1 403 Forbidden</status></response>";
    assert_eq!(one(&wrapped(of_all)).refused, Some(403));
    let of_kind = "<response><href>/a</href><propstat><prop><resourcetype/><getetag>\"x\"</getetag></prop>\
                   <status>HTTP/1.1 401 Unauthorized</status></propstat></response>";
    let told = one(&wrapped(of_kind));
    assert_eq!((told.refused, told.is_folder, told.tag), (Some(401), None, None));
    let silent =
        "<response><href>/a</href><propstat><prop><resourcetype/></prop></propstat></response>";
    assert_eq!(one(&wrapped(silent)).is_folder, None, "a part without a status is none");
}

#[test]
fn values_are_put_together_from_all_their_forms() {
    let text = wrapped(
        "<response><href>\n /a<![CDATA[&b]]>&amp;&#x63;<!-- no -->d \n</href>\
         <x:href xmlns:x=\"urn:x\">/evil</x:href></response>",
    );
    assert_eq!(one(&text).href, "/a&b&cd");
}

// F103
#[test]
fn documents_that_are_none_or_grow_without_end_are_refused() {
    let refused = |text: &str| listed(text).unwrap_err().to_string();
    for (text, why) in [
        (String::new(), "no multistatus"),
        ("<html><body>Welcome</body></html>".to_owned(), "no multistatus"),
        ("<multistatus/>".to_owned(), "no multistatus"),
        (format!("{0}{0}", wrapped("")), "no multistatus"),
        ("<multistatus xmlns=\"DAV:\"><response>".to_owned(), "too early"),
        ("<!DOCTYPE html><html>".to_owned(), "type definition"),
        (format!("<!DOCTYPE m [<!ENTITY a \"aa\">]>{}", wrapped("")), "type definition"),
        (wrapped("<response><href>&a;</href></response>"), "entities"),
        (wrapped("<response/>"), "without saying where"),
        (wrapped(&"<a>".repeat(MAX_DEPTH)), "deeper"),
        (wrapped(&format!("<response><href>{}", "a".repeat(MAX_VALUE + 1))), "KiB"),
        (wrapped(&"<response><href>/</href></response>".repeat(MAX_ENTRIES + 1)), "entries"),
    ] {
        let told = refused(&text);
        assert!(told.contains(why), "{told}: {text:.60}");
    }
    assert!(listed("<multistatus xmlns=\"DAV:\"></wrong>").is_err());
    assert_eq!(listed(&wrapped("")).unwrap(), []);
}

// F103
#[tokio::test]
async fn an_answer_without_end_is_left() {
    let begin = b"<multistatus xmlns=\"DAV:\">".as_slice();
    let endless = tokio::io::BufReader::new(begin.chain(tokio::io::repeat(b' ')));
    assert!(matches!(read(endless).await, Err(ReadError::Large)));
}
