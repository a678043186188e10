//! Published content over HTTP: what every client needs, and what no client may get.

use wharf_server::Listing;
use wharf_store::model::Digest;

use super::support::{Answer, Host, raw};
use tokio::net::TcpStream;

const DATE: &str = "Sat, 21 Nov 2026 10:00:00 GMT";

/// A file larger than what is read at once, with no two equal parts.
fn large() -> Vec<u8> {
    (0..700_000_u32).flat_map(u32::to_le_bytes).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_with_everything_a_client_needs() {
    let host = Host::publishing(&[("d/a.json", b"{}"), ("empty", b"")]).await;
    let answer = host.content("/content/tree/d/a.json", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "{}"));
    assert_eq!(answer.header("etag"), format!("\"{}\"", Digest::of(b"{}")));
    assert_eq!(answer.header("last-modified"), DATE);
    assert_eq!(answer.header("content-length"), "2");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.headers.contains_key("date"));
    assert!(!answer.headers.contains_key("content-encoding"));
    let head = host.tcp("HEAD", "/content/tree/d/a.json", &[]).await;
    assert_eq!((head.status.as_u16(), head.text()), (200, ""));
    for name in ["etag", "last-modified", "content-length", "content-type", "accept-ranges"] {
        assert_eq!(head.header(name), answer.header(name), "{name}");
    }
    let empty = host.content("/content/tree/empty", &[("accept-encoding", "gzip")]).await;
    assert_eq!((empty.status.as_u16(), empty.header("content-length")), (200, "0"));
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_client_has_is_not_sent_again() {
    let host = Host::publishing(&[("a", b"0123456789")]).await;
    let etag = format!("\"{}\"", Digest::of(b"0123456789"));
    let get = async |headers: &[(&str, &str)]| host.content("/content/tree/a", headers).await;
    for headers in [[("if-none-match", etag.as_str())], [("if-modified-since", DATE)]] {
        let answer = get(&headers).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (304, ""));
        assert_eq!(answer.header("etag"), etag);
        assert_eq!(answer.header("last-modified"), DATE);
        let head = host.tcp("HEAD", "/content/tree/a", &headers).await;
        assert_eq!(head.status, 304);
    }
    let other = get(&[("if-none-match", "\"other\""), ("if-modified-since", DATE)]).await;
    assert_eq!((other.status.as_u16(), other.text()), (200, "0123456789"));
    let failed = get(&[("if-match", "\"other\"")]).await;
    assert_eq!(failed.status, 412);
    assert_eq!(failed.problem().problem.code, "conflict.precondition");
    host.end().await;
}

// F121
#[tokio::test(flavor = "multi_thread")]
async fn ranges_are_answered_as_http_says() {
    let bytes = large();
    let host = Host::publishing(&[("a", b"0123456789"), ("large", &bytes), ("empty", b"")]).await;
    let etag = format!("\"{}\"", Digest::of(b"0123456789"));
    let get = async |headers: &[(&str, &str)]| host.content("/content/tree/a", headers).await;
    let part = |answer: &Answer| {
        (
            answer.status.as_u16(),
            answer.text().to_owned(),
            answer.header("content-range").to_owned(),
            answer.header("content-length").to_owned(),
        )
    };
    let expect = |status, text: &str, range: &str| {
        (status, text.to_owned(), range.to_owned(), text.len().to_string())
    };
    let answer = get(&[("range", "bytes=2-4")]).await;
    assert_eq!(part(&answer), expect(206, "234", "bytes 2-4/10"));
    assert_eq!(answer.header("etag"), etag);
    let answer = get(&[("range", "bytes=-3")]).await;
    assert_eq!(part(&answer), expect(206, "789", "bytes 7-9/10"));
    let answer = get(&[("range", "bytes=8-99")]).await;
    assert_eq!(part(&answer), expect(206, "89", "bytes 8-9/10"));
    for whole in ["bytes=0-1,4-5", &format!("bytes={}0-0", "0-0,".repeat(1000)), "bytes=5-2", "x"] {
        assert_eq!(part(&get(&[("range", whole)]).await), expect(200, "0123456789", ""));
    }
    for outside in ["bytes=10-", "bytes=99-100", "bytes=-0"] {
        let answer = get(&[("range", outside)]).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-range")), (416, "bytes */10"));
        assert_eq!(answer.problem().problem.code, "usage.range");
    }
    let answer = get(&[("range", "bytes=0-0"), ("if-range", &etag)]).await;
    assert_eq!(part(&answer), expect(206, "0", "bytes 0-0/10"));
    let answer = get(&[("range", "bytes=0-0"), ("if-range", "\"other\"")]).await;
    assert_eq!(part(&answer), expect(200, "0123456789", ""));
    let head = host.tcp("HEAD", "/content/tree/a", &[("range", "bytes=0-0")]).await;
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, "10"));
    let answer = host.content("/content/tree/large", &[("range", "bytes=300001-2000000")]).await;
    assert_eq!(answer.status, 206);
    assert!(answer.body == bytes[300_001..=2_000_000]);
    let answer = host.content("/content/tree/large", &[]).await;
    assert!(answer.body == bytes);
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_listed_for_people_and_for_programs() {
    let files: [(&str, &[u8]); 4] =
        [("b.txt", b"bb"), ("<img src=x>.txt", b""), ("a b/c.txt", b"c"), ("a b/d/e.txt", b"e")];
    let host = Host::publishing(&files).await;
    let page = host.content("/content/tree/", &[]).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(page.text().contains("<a href=\"./a%20b/\">a b/</a>"), "{}", page.text());
    // F147
    assert!(page.text().contains("&lt;img src=x&gt;.txt") && !page.text().contains("<img"));
    let json = [("accept", "application/json")];
    let listing: Listing = host.content("/content/tree/", &json).await.json();
    let names: Vec<&str> = listing.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["a b", "<img src=x>.txt", "b.txt", "moved", "remote.bin"]);
    assert_eq!(listing.entries[2].size, Some(2));
    let listing: Listing = host.content("/content/tree/a%20b/", &json).await.json();
    assert_eq!(listing.path, "tree/a b");
    let root: Listing = host.content("/content/", &json).await.json();
    assert_eq!(root.entries[0].name, "tree");
    for (path, to) in [
        ("/content/tree/moved", "/content/tree/a%20b/c"),
        ("/content/tree", "/content/tree/"),
        ("/content/tree/a%20b", "/content/tree/a%20b/"),
        ("/content", "/content/"),
        ("/", "/content/"),
    ] {
        let answer = host.content(path, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (301, to));
    }
    let head = host.tcp("HEAD", "/content/tree/", &[]).await;
    assert_eq!((head.text(), head.header("content-length")), ("", page.header("content-length")));
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_an_index_shows_it_as_a_page() {
    let host = Host::publishing(&[("d/index.html", b"<p>hello</p>")]).await;
    let page = host.content("/content/tree/d/", &[]).await;
    assert_eq!((page.text(), page.header("content-type")), ("<p>hello</p>", "text/html"));
    host.end().await;
}

// F122
#[tokio::test(flavor = "multi_thread")]
async fn path_tricks_lead_nowhere() {
    let host = Host::publishing(&[("a/b", b"b")]).await;
    let long = format!("/content/tree/{}", "x".repeat(5000));
    for (path, status) in [
        ("/content/tree/../../../etc/passwd", 400),
        ("/content/tree/%2e%2e/%2E%2e/etc/passwd", 400),
        ("/content/tree/a%2f..%2f..%2fb", 400),
        ("/content/%252e%252e/wharf.db", 404),
        ("/content//etc/passwd", 400),
        ("/content/tree//a/b", 400),
        ("/content/%2fetc/passwd", 400),
        ("/content/tree/a%00b", 400),
        ("/content/tree/a%0d%0ab", 400),
        ("/content/tree/%ff", 400),
        ("/content/tree/a%", 400),
        ("/content/tree/a;b", 404),
        ("/content/tree/a/b/", 404),
        ("/content/tree/a/b/c", 404),
        ("/content/tree/A/b", 404),
        ("/content/wharf.db", 404),
        ("/wharf.db", 404),
        ("/%63ontent/tree/a/b", 404),
        (&long, 400),
    ] {
        let answer = host.content(path, &[]).await;
        assert_eq!(answer.status, status, "{path}");
        answer.problem();
    }
    for path in ["/content/tree/./a/%62", "/content/tree/a%2Fb", "/content/tree/a/b?x=1"] {
        assert_eq!(host.content(path, &[]).await.text(), "b", "{path}");
    }
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn content_can_only_be_read() {
    let host = Host::publishing(&[("a", b"a")]).await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = host.tcp(method, "/content/tree/a", &[]).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, HEAD"));
        answer.problem();
    }
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_fails_before_the_first_byte_is_told_in_words() {
    let host = Host::publishing(&[]).await;
    let head = host.tcp("HEAD", "/content/tree/remote.bin", &[]).await;
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, "6"));
    for headers in [&[][..], &[("range", "bytes=0-1")][..]] {
        let answer = host.content("/content/tree/remote.bin", headers).await;
        assert_eq!(answer.status, 502);
        answer.problem();
    }
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_may_follow_each_other_without_waiting() {
    let host = Host::publishing(&[("a", b"first"), ("b", b"second")]).await;
    let stream = TcpStream::connect(host.address()).await.unwrap();
    let requests = "GET /content/tree/a HTTP/1.1\r\nHost: x\r\n\r\n\
                    HEAD /content/tree/b HTTP/1.1\r\nHost: x\r\n\r\n\
                    GET /content/tree/b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = raw(stream, requests.as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 3);
    let first = answer.find("first").unwrap();
    assert!(answer.ends_with("second") && first < answer.rfind("HTTP/1.1").unwrap());
    host.end().await;
}
