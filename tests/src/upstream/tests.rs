use std::thread;

use super::*;
use crate::{Tree, http};

fn get(upstream: &Upstream, path: &str, headers: &[(&str, &str)]) -> http::Answer {
    http::get(&upstream.address().to_string(), path, headers).expect("an answer")
}

#[test]
fn files_ranges_and_validators_are_served_as_a_good_server_does() {
    let mut tree = Tree::empty();
    tree.put("a b.txt", b"0123456789");
    let upstream = Upstream::of(tree.folder());
    let whole = get(&upstream, "/a%20b.txt", &[]);
    assert_eq!((whole.status, whole.text().as_str()), (200, "0123456789"));
    let tag = whole.header("etag").expect("a tag").to_owned();
    assert_eq!(get(&upstream, "/a%20b.txt", &[("If-None-Match", &tag)]).status, 304);
    let rest = get(&upstream, "/a%20b.txt", &[("Range", "bytes=7-"), ("If-Range", &tag)]);
    assert_eq!((rest.status, rest.text().as_str()), (206, "789"));
    assert_eq!(get(&upstream, "/a%20b.txt", &[("Range", "bytes=10-")]).status, 416);
    assert_eq!(get(&upstream, "/../etc/passwd", &[]).status, 404);
    assert_eq!(upstream.count("a b.txt"), 4);
}

#[test]
fn tricks_are_played_in_order_and_then_no_more() {
    let mut tree = Tree::empty();
    tree.put("f", b"0123456789");
    let upstream = Upstream::of(tree.folder());
    upstream.once("f", [Trick::Cut(4), Trick::unavailable("1"), Trick::Short(3)]);
    let cut = get(&upstream, "/f", &[]);
    assert_eq!((cut.text().as_str(), cut.whole), ("0123", false));
    let later = get(&upstream, "/f", &[]);
    assert_eq!((later.status, later.header("retry-after")), (503, Some("1")));
    let short = get(&upstream, "/f", &[]);
    assert_eq!((short.text().as_str(), short.whole), ("0123456", true));
    assert_eq!(get(&upstream, "/f", &[]).text(), "0123456789");
}

#[test]
fn a_held_answer_comes_when_the_test_lets_go() {
    let mut tree = Tree::empty();
    tree.put("f", b"late");
    let upstream = Upstream::of(tree.folder());
    upstream.once("f", [Trick::Hold]);
    let answer = thread::scope(|scope| {
        let asks = scope.spawn(|| get(&upstream, "/f", &[]));
        upstream.wait_for("f");
        upstream.release();
        asks.join().expect("no panic")
    });
    assert_eq!(answer.text(), "late");
}
