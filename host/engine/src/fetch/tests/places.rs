//! Where a transfer may go: redirects, inward addresses, credentials, heads without end.

use std::sync::Arc;

use super::{
    Bench, Config, Trust, quick,
    server::{Server, Step, answer, ok},
};

fn redirect(to: &str) -> Vec<Step> {
    vec![answer("302 Found", &format!("location: {to}\r\n"), b"over there")]
}

#[tokio::test]
async fn a_redirect_to_an_inward_address_is_refused_unless_the_host_was_typed() {
    // F109: 127.0.0.2 is this machine too, but nobody typed it
    let inside = Server::start_at("127.0.0.2:0", |_| ok(b"secret")).await;
    let near = Server::start(|_| ok(b"mirror")).await;
    let (far_url, near_url) = (inside.url("/"), near.url("/"));
    let name_url = format!("http://localhost:{}/", inside.address.port());
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/far" => redirect(&far_url),
        "/name" => redirect(&name_url),
        _ => redirect(&near_url),
    })
    .await;
    let bench = Bench::new();
    for path in ["/far", "/name"] {
        let error = bench.fail(&bench.request(&[&server.url(path)])).await;
        assert_eq!(error.code(), "policy.redirect", "{error:?}");
        assert!(error.to_string().contains("private network"), "{error}");
    }
    assert!(inside.seen().is_empty());
    let done = bench.bring(&bench.request(&[&server.url("/near")]), b"mirror").await;
    assert_eq!(done.final_url, near.url("/"));
    let mut request = bench.request(&[&server.url("/far")]);
    request.trust = Arc::new(Trust::public().typed(&server.url("/")).typed("http://127.0.0.2/"));
    bench.bring(&request, b"secret").await;
    request.trust = Arc::new(Trust::public().typed(&server.url("/")).host("127.0.0.2"));
    bench.bring(&request, b"secret").await;
}

#[tokio::test]
async fn an_index_cannot_send_us_inward() {
    // F109, decided on the address that would be dialled
    let server = Server::start(|_| ok(b"secret")).await;
    let bench = Bench::new();
    let port = server.address.port();
    for host in ["127.0.0.1", "localhost", "0x7f000001", "[::ffff:127.0.0.1]"] {
        let mut request = bench.request(&[&format!("http://{host}:{port}/a")]);
        request.trust = Arc::new(Trust::public().typed("https://mirror.example/"));
        let error = bench.fail(&request).await;
        assert_eq!(error.code(), "policy.address", "{host}: {error:?}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn redirects_to_other_schemes_and_without_end_are_refused() {
    // F109, F110
    let server = Server::start(|seen| match seen.path.as_str() {
        "/file" => redirect("file:///etc/passwd"),
        "/loop" => redirect("/loop"),
        path => redirect(&format!("{path}x")),
    })
    .await;
    let bench = Bench::new();
    for path in ["/file", "/loop", "/longer"] {
        let error = bench.fail(&bench.request(&[&server.url(path)])).await;
        assert_eq!(error.code(), "policy.redirect", "{error:?}");
        assert!(error.help().is_some());
    }
    assert_eq!(server.seen().len(), 1 + 6 + 6);
}

#[tokio::test]
async fn credentials_never_leave_their_host() {
    // F110
    let other = Server::start(|_| ok(b"x")).await;
    let url = other.url("/b");
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/a" => redirect("/near"),
        _ => redirect(&url),
    })
    .await;
    let bench = Bench::new();
    let typed = server.url("/a").replace("http://", "http://me:word@");
    let mut request = bench.request(&[&typed]);
    request.sources[0].headers.insert("x-api-key".to_owned(), "k".to_owned());
    bench.bring(&request, b"x").await;
    for seen in server.seen() {
        assert!(seen.header("authorization").is_some() && seen.header("x-api-key").is_some());
    }
    for seen in other.seen() {
        assert_eq!((seen.header("authorization"), seen.header("x-api-key")), (None, None));
        assert_eq!(seen.header("cookie"), None);
    }
}

#[tokio::test]
async fn heads_without_end_are_bounded() {
    // F110
    let server = Server::start(|seen| match seen.path.as_str() {
        "/long" => {
            vec![Step::Send(b"HTTP/1.1 200 OK\r\nx: ".to_vec()), Step::Forever(vec![b'a'; 65536])]
        }
        _ => vec![
            Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec()),
            Step::Forever(b"x: y\r\n".repeat(1000)),
        ],
    })
    .await;
    let bench = Bench::with(Config { retries: 0, ..quick() });
    for path in ["/long", "/many"] {
        let error = bench.fail(&bench.request(&[&server.url(path)])).await;
        assert_eq!(error.code(), "source.unreachable", "{error:?}");
    }
}

#[tokio::test]
async fn addresses_and_headers_that_make_no_sense_are_refused() {
    let bench = Bench::new();
    for url in ["ftp://host/a", "mirror/a", "http://", "http://[x]/"] {
        assert_eq!(bench.fail(&bench.request(&[url])).await.code(), "content.address", "{url}");
    }
    for (name, value) in [("a b", "c"), ("x", "a\nb"), ("Range", "bytes=1-"), ("host", "other")] {
        let mut request = bench.request(&["http://127.0.0.1:9/"]);
        request.sources[0].headers.insert(name.to_owned(), value.to_owned());
        assert_eq!(bench.fail(&request).await.code(), "content.address", "{name}");
    }
    let mut request = bench.request(&["http://127.0.0.1:9/"]);
    request.sources.clear();
    assert_eq!(bench.fail(&request).await.code(), "source.none");
}
