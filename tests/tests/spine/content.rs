//! Published content as HTTP clients see it: validators, ranges, listings, and bytes that come on demand.

use std::thread;

use wharf_tests::http::{self, Request};
use wharf_tests::invariants::{files, published};
use wharf_tests::{TestHost, Tree, Trick, Upstream, wait};

use crate::mirror;

/// A host that serves one published tree.
fn serving(tree: &Tree, upstream: &Upstream, settings: &[&str]) -> TestHost {
    let mut host = TestHost::new();
    host.serve();
    mirror(&host, upstream, settings);
    host.ok(&["sync", "tools"]);
    host.ok(&["publish", "tools"]);
    assert!(!tree.paths().is_empty());
    host
}

#[test]
fn conditional_requests_ranges_and_heads_are_answered() {
    let mut tree = Tree::empty();
    tree.put("docs/letters.txt", b"abcdefghij");
    tree.write_manifest();
    let upstream = Upstream::of(tree.folder());
    let host = serving(&tree, &upstream, &[]);
    let address = host.server().content().to_owned();
    let path = "/content/tools/docs/letters.txt";
    let get = |headers: &[(&str, &str)]| http::get(&address, path, headers).expect("an answer");
    let whole = get(&[]);
    assert_eq!((whole.status, whole.text().as_str()), (200, "abcdefghij"));
    let tag = whole.header("etag").expect("an ETag").to_owned();
    let date = whole.header("last-modified").expect("a date").to_owned();
    assert_eq!(get(&[("If-None-Match", &tag)]).status, 304);
    assert_eq!(get(&[("If-Modified-Since", &date)]).status, 304);
    let part = get(&[("Range", "bytes=2-4")]);
    assert_eq!((part.status, part.text().as_str()), (206, "cde"));
    assert_eq!(part.header("content-range"), Some("bytes 2-4/10"));
    assert_eq!(get(&[("Range", "bytes=-3")]).text(), "hij");
    assert_eq!(get(&[("Range", "bytes=10-")]).status, 416);
    assert_eq!(get(&[("Range", "bytes=2-4"), ("If-Range", "\"other\"")]).status, 200);
    let head = Request { method: "HEAD", path, headers: &[], body: b"" };
    let head = http::request(&address, &head).expect("an answer");
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("10"), 0));
    let post = Request { method: "POST", path, headers: &[], body: b"x" };
    assert_eq!(http::request(&address, &post).expect("an answer").status, 405);
    assert_eq!(host.get("/content/tools/docs/none.txt").status, 404);
    assert_eq!(host.get("/health").status, 200);
    host.finish();
}

#[test]
fn folders_are_listed_below_a_slash() {
    let tree = Tree::of(25, 10, 31);
    let upstream = Upstream::of(tree.folder());
    let host = serving(&tree, &upstream, &[]);
    let there = host.get("/content/tools");
    assert!(
        there.header("location").is_some_and(|to| to.ends_with("/content/tools/")),
        "{there:?}"
    );
    let listing = host.get("/content/tools/");
    assert_eq!(listing.status, 200);
    for name in ["d000/", "d001/", "d002/", "PULP_MANIFEST", "SHA256SUMS"] {
        assert!(listing.text().contains(name), "{name} is missing in {}", listing.text());
    }
    assert!(host.get("/content/tools/d001/").text().contains("f00010.bin"));
    host.finish();
}

#[test]
fn bytes_on_demand_are_fetched_once_for_all_who_wait_and_then_kept() {
    let tree = Tree::of(10, 4000, 32);
    let upstream = Upstream::of(tree.folder());
    let host = serving(&tree, &upstream, &["policy=on_demand"]);
    assert_eq!(upstream.total(), 1, "only the manifest was read");
    let name = tree
        .paths()
        .into_iter()
        .max_by_key(|path| tree.at(path).metadata().map(|file| file.len()).ok());
    let name = name.expect("ten files");
    upstream.once(&name, [Trick::Hold]);
    let address = host.server().content().to_owned();
    thread::scope(|scope| {
        let path = format!("/content/tools/{name}");
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let (address, path) = (address.clone(), path.clone());
                scope.spawn(move || http::get(&address, &path, &[]).expect("an answer"))
            })
            .collect();
        upstream.wait_for(&name);
        upstream.release();
        for client in clients {
            let answer = client.join().expect("no panic");
            assert!(answer.whole && answer.status == 200, "{answer:?}");
            assert_eq!(wharf_tests::tree::sha256(&answer.body), tree.digests()[&name]);
        }
    });
    assert_eq!(upstream.count(&name), 1, "one fetch for all who wait");
    assert_eq!(published(&host, "tools"), tree.digests());
    let asked = upstream.total();
    assert_eq!(published(&host, "tools"), tree.digests());
    assert_eq!(upstream.total(), asked, "what came on demand is kept");
    // The last of them is kept a moment after its last byte went out.
    wait::until("ten files and two made by the distributor are kept", wait::PATIENCE, || {
        (files(&host.data().join("blobs")).len() == 12).then_some(())
    });
    host.finish();
}

#[test]
fn f101_bytes_on_demand_that_are_not_what_was_announced_are_never_whole() {
    let mut tree = Tree::empty();
    tree.put("lied.bin", &vec![7; 200_000]);
    tree.write_manifest();
    let upstream = Upstream::of(tree.folder());
    let host = serving(&tree, &upstream, &["policy=on_demand"]);
    upstream.always("lied.bin", Trick::WrongBytes);
    let answer = host.get("/content/tools/lied.bin");
    assert!(
        answer.status >= 500 || !answer.whole,
        "a client must not take it for good: {}",
        answer.status
    );
    upstream.behave();
    let answer = host.get("/content/tools/lied.bin");
    assert!(answer.status == 200 && answer.whole, "good bytes are taken later: {}", answer.status);
    assert_eq!(published(&host, "tools"), tree.digests());
    host.finish();
}

#[test]
fn streamed_bytes_are_never_kept() {
    let tree = Tree::of(3, 500, 33);
    let upstream = Upstream::of(tree.folder());
    let host = serving(&tree, &upstream, &["policy=streamed"]);
    assert_eq!(published(&host, "tools"), tree.digests());
    let asked = upstream.total();
    assert_eq!(published(&host, "tools"), tree.digests());
    assert_eq!(upstream.total(), asked + 3, "every request goes upstream");
    assert_eq!(files(&host.data().join("blobs")).len(), 2, "only what the distributor made");
    host.finish();
}
