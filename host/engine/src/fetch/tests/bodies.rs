//! Bodies that lie, break off, stall or never end; retries and resuming.

use std::time::{Duration, Instant};

use super::{
    Bench, Config, Error, bytes, digest, names, quick,
    server::{CHUNKED, Server, Step, announced, answer, chunk, ok, part},
};
use crate::fetch::{Fetched, Fetcher, Validators, tests::in_time};

const ETAG: &str = "etag: \"one\"\r\n";

#[tokio::test]
async fn files_of_every_size_arrive_with_what_the_server_said_about_them() {
    for size in [0, 1, 1024, 256 * 1024, 256 * 1024 + 1, 3 << 20] {
        let body = bytes(size);
        let sent = body.clone();
        let headers = "etag: W/\"x\"\r\nlast-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-type: text/plain; charset=utf-8\r\n";
        let server = Server::start(move |_| vec![answer("200 OK", headers, &sent)]).await;
        let bench = Bench::new();
        let url = server.url("/a");
        let mut request = bench.request(&[&url]);
        request.size = Some(size as u64);
        request.digests = digest(&body);
        let done = bench.bring(&request, &body).await;
        assert_eq!(done.etag.as_deref(), Some("W/\"x\""));
        assert_eq!(done.last_modified.as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!(done.media_type.as_deref(), Some("text/plain"));
        assert_eq!(done.final_url, url);
        assert_eq!(bench.meter.bytes(), size as u64);
        assert_eq!((bench.meter.requests(), bench.meter.files(), bench.meter.retries()), (1, 1, 0));
        assert_eq!(server.seen()[0].header("accept-encoding"), Some("identity"));
    }
}

#[tokio::test]
async fn what_stood_at_the_target_is_replaced() {
    let server = Server::start(|_| ok(b"new")).await;
    let bench = Bench::new();
    std::fs::write(bench.target(), "something older").unwrap();
    bench.bring(&bench.request(&[&server.url("/a")]), b"new").await;
}

#[tokio::test]
async fn an_unchanged_file_is_not_brought() {
    let server = Server::start(|seen| match seen.header("if-none-match") {
        Some("\"one\"") => vec![Step::Send(b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec())],
        _ => ok(b"x"),
    })
    .await;
    let bench = Bench::new();
    let mut request = bench.request(&[&server.url("/a")]);
    request.validators = Validators { etag: Some("\"one\"".to_owned()), last_modified: None };
    let fetched = in_time(bench.fetcher.fetch(&request, &bench.cancel, &bench.meter)).await;
    assert_eq!(fetched.unwrap(), Fetched::NotModified);
    assert_eq!(names(bench.folder.path()), [""; 0]);
}

#[tokio::test]
async fn wrong_bytes_are_dropped_and_fetched_once_more_from_the_next_source() {
    // F101, in memory and in a file
    for size in [10, 1 << 20] {
        let (good, mut bad) = (bytes(size), bytes(size));
        bad[size - 1] ^= 1;
        let expected = digest(&good);
        let body = good.clone();
        let server =
            Server::start(move |seen| ok(if seen.path == "/bad" { &bad } else { &body })).await;
        let bench = Bench::new();
        let mut request = bench.request(&[&server.url("/bad"), &server.url("/good")]);
        request.digests = expected;
        bench.bring(&request, &good).await;
        std::fs::remove_file(bench.target()).unwrap();

        let mut request = bench.request(&[&server.url("/bad")]);
        request.digests = digest(&good);
        let error = bench.fail(&request).await;
        assert_eq!(error.code(), "integrity.digest");
        assert_eq!(server.seen().iter().filter(|seen| seen.path == "/bad").count(), 3);
        let text = error.to_string();
        let url = server.url("/bad");
        for part in [&url, &request.digests[0], &format!("{size} bytes")] {
            assert!(text.contains(part), "{text}");
        }
    }
}

#[tokio::test]
async fn another_length_than_announced_is_told_before_the_body_is_read() {
    // F101, F102
    let server =
        Server::start(|_| vec![announced("200 OK", "", b"abc", 1 << 30), Step::Hang]).await;
    let bench = Bench::new();
    let mut request = bench.request(&[&server.url("/a")]);
    request.size = Some(3);
    let error = bench.fail(&request).await;
    assert!(
        matches!(error.cause(), Error::Size { expected: 3, found: 0x4000_0000, .. }),
        "{error:?}"
    );
    request.size = None;
    request.max_bytes = Some(1000);
    let error = bench.fail(&request).await;
    assert!(matches!(error, Error::TooLarge { limit: 1000, .. }), "{error:?}");
    request.size = Some(1001);
    assert_eq!(bench.fail(&request).await.code(), "limit.bytes");
}

#[tokio::test]
async fn endless_bodies_are_cut() {
    // F102
    let server = Server::start(|_| {
        vec![Step::Send(CHUNKED.to_vec()), Step::Forever(chunk(&bytes(64 * 1024)))]
    })
    .await;
    for limit in [1000, 2 << 20] {
        let bench = Bench::new();
        let mut request = bench.request(&[&server.url("/a")]);
        request.max_bytes = Some(limit);
        assert!(matches!(bench.fail(&request).await, Error::TooLarge { .. }));
        request.max_bytes = None;
        request.size = Some(limit);
        let error = bench.fail(&request).await;
        assert!(matches!(error.cause(), Error::Size { more: true, .. }), "{error:?}");
        assert!(bench.meter.bytes() < 12 << 20, "{}", bench.meter.bytes());
    }
}

#[tokio::test]
async fn a_body_without_length_that_ends_early_is_truncated() {
    // F102
    let server = Server::start(|_| {
        vec![Step::Send(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc".to_vec()), Step::Close]
    })
    .await;
    let bench = Bench::new();
    let mut request = bench.request(&[&server.url("/a")]);
    request.size = Some(5);
    let error = bench.fail(&request).await;
    assert!(
        matches!(error.cause(), Error::Truncated { got: 3, expected: Some(5), .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("3 of 5 bytes"), "{error}");
    assert_eq!(server.seen().len(), 3);
}

/// A server that breaks off at `cut` and then answers the second request in this way.
async fn broken(
    body: &[u8],
    cut: usize,
    headers: &'static str,
    then: impl Fn(&[u8], usize) -> Vec<Step> + Send + Sync + 'static,
) -> Server {
    let body = body.to_vec();
    Server::start(move |seen| {
        if seen.before == 0 {
            vec![announced("200 OK", headers, &body[..cut], body.len()), Step::Close]
        } else if let Some(from) = seen.from() {
            then(&body, from)
        } else {
            vec![answer("200 OK", headers, &body)]
        }
    })
    .await
}

#[tokio::test]
async fn a_connection_that_dies_near_the_end_is_resumed_with_the_validator() {
    // F112
    let body = bytes(2 << 20);
    let cut = body.len() / 100 * 99;
    let server = broken(&body, cut, ETAG, |body, from| vec![part(body, from, ETAG)]).await;
    let bench = Bench::new();
    let mut request = bench.request(&[&server.url("/a")]);
    request.digests = digest(&body);
    bench.bring(&request, &body).await;
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].from(), Some(cut));
    assert_eq!(seen[1].header("if-range"), Some("\"one\""));
    assert_eq!(bench.meter.bytes(), body.len() as u64);
}

#[tokio::test]
async fn what_cannot_be_resumed_is_started_over() {
    // F112
    let body = bytes(1 << 20);
    let cut = body.len() / 2;
    let whole: fn(&[u8], usize) -> Vec<Step> = |body, _| vec![answer("200 OK", ETAG, body)];
    let shifted: fn(&[u8], usize) -> Vec<Step> = |body, from| vec![part(body, from - 1, ETAG)];
    let gone: fn(&[u8], usize) -> Vec<Step> =
        |_, _| vec![answer("416 Range Not Satisfiable", "", b"")];
    let other: fn(&[u8], usize) -> Vec<Step> = |body, from| {
        let rest = vec![0; body.len()];
        vec![part(&rest, from, ETAG)]
    };
    for then in [whole, shifted, gone, other] {
        let server = broken(&body, cut, ETAG, then).await;
        let bench = Bench::new();
        let mut request = bench.request(&[&server.url("/a")]);
        request.digests = digest(&body);
        bench.bring(&request, &body).await;
    }
    for headers in ["", "etag: W/\"weak\"\r\n"] {
        let server = broken(&body, cut, headers, whole).await;
        let bench = Bench::new();
        bench.bring(&bench.request(&[&server.url("/a")]), &body).await;
        assert!(server.seen().iter().all(|seen| seen.from().is_none()));
    }
}

#[tokio::test]
async fn a_later_attempt_of_the_job_continues_a_large_file() {
    // F112: the first fetcher is gone, as after a crash of the process
    let body = bytes(9 << 20);
    let cut = 5 << 20;
    let server = broken(&body, cut, ETAG, |body, from| vec![part(body, from, ETAG)]).await;
    let mut bench = Bench::with(Config { retries: 0, ..quick() });
    let mut request = bench.request(&[&server.url("/a")]);
    request.digests = digest(&body);
    request.size = Some(body.len() as u64);
    let error = bench.fetch(&request).await.unwrap_err();
    assert_eq!(error.code(), "source.truncated");
    assert_eq!(names(bench.folder.path()), ["target", "target.notes"]);
    bench.fetcher = Fetcher::new(quick()).unwrap();
    bench.bring(&request, &body).await;
    assert_eq!(server.seen()[1].from(), Some(cut));
}

#[tokio::test]
async fn a_silent_server_is_given_up_and_its_bytes_are_counted() {
    for (sent, got) in [(0, 0), (5, 5), (1 << 20, 1 << 20)] {
        let body = bytes(2 << 20);
        let server = Server::start(move |_| {
            let head = announced("200 OK", "", &body[..sent], body.len());
            if sent == 0 { vec![Step::Hang] } else { vec![head, Step::Hang] }
        })
        .await;
        let short = Duration::from_millis(100);
        let config = Config { stall_timeout: short, connect_timeout: short, retries: 1, ..quick() };
        let bench = Bench::with(config);
        let error = bench.fail(&bench.request(&[&server.url("/a")])).await;
        assert!(
            matches!(error, Error::GaveUp { attempts: 2, .. })
                && matches!(error.cause(), Error::Stalled { got: count, .. } if *count == got),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_stop_is_obeyed_wherever_the_transfer_stands() {
    let body = bytes(1 << 20);
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/head" => vec![Step::Hang],
        "/body" => vec![announced("200 OK", "", &body, 2 << 20), Step::Hang],
        _ => vec![answer("503 Unavailable", "", b"")],
    })
    .await;
    for path in ["/head", "/body", "/wait"] {
        let minute = Duration::from_mins(1);
        let bench = Bench::with(Config { backoff: minute, backoff_limit: minute, ..quick() });
        let request = bench.request(&[&server.url(path)]);
        let stop = async {
            while bench.meter.requests() == 0 || (path == "/body" && bench.meter.bytes() < 1 << 20)
            {
                tokio::task::yield_now().await;
            }
            bench.cancel.cancel();
            Instant::now()
        };
        let (error, stopped) = tokio::join!(bench.fail(&request), stop);
        assert!(matches!(error, Error::Cancelled), "{error:?}");
        assert!(stopped.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_busy_server_is_asked_again_after_the_time_it_wants() {
    // F111: the huge value is cut to the limit of 50 ms, the negative one is no wait
    for (status, after) in [("503 Busy", "3600"), ("429 Slow down", "-1"), ("500 Oops", "x")] {
        let server = Server::start(move |seen| match seen.before {
            0 => vec![answer(status, &format!("retry-after: {after}\r\n"), b"later")],
            _ => ok(b"here"),
        })
        .await;
        let bench = Bench::new();
        let started = Instant::now();
        bench.bring(&bench.request(&[&server.url("/a")]), b"here").await;
        assert_eq!(bench.meter.retries(), 1);
        assert!(after != "3600" || started.elapsed() >= Duration::from_millis(50));
    }
}

#[tokio::test]
async fn a_refusal_is_quoted_without_secrets_and_not_repeated() {
    // F186
    let server = Server::start(|seen| {
        let body = format!("<html><b>No</b>\nsuch file for {}", seen.header("x-token").unwrap());
        vec![answer("404 Not Found", "", body.as_bytes())]
    })
    .await;
    let bench = Bench::new();
    let url = server.url("/a?token=hidden1").replace("http://", "http://me:hidden2@");
    let mut request = bench.request(&[&url]);
    request.sources[0].headers.insert("X-Token".to_owned(), "hidden3".to_owned());
    let error = bench.fail(&request).await;
    let text = format!("{error} {error:?}");
    assert!(!text.contains("hidden"), "{text}");
    assert!(text.contains("answered 404: No such file for ***"), "{text}");
    assert!(!error.retryable());
    assert_eq!(server.seen().len(), 1);
    assert_eq!(server.seen()[0].header("authorization"), Some("Basic bWU6aGlkZGVuMg=="));
}

#[tokio::test]
async fn mirrors_are_tried_in_order() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/gone" => vec![answer("404 Not Found", "", b"")],
        "/broken" => vec![Step::Close],
        _ => ok(b"here"),
    })
    .await;
    let bench = Bench::new();
    let urls = ["/gone", "/broken", "/here"].map(|path| server.url(path));
    let done = bench.bring(&bench.request(&[&urls[0], &urls[1], &urls[2]]), b"here").await;
    assert_eq!(done.final_url, urls[2]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_a_storage_error() {
    let server = Server::start(|_| ok(&bytes(1 << 20))).await;
    let bench = Bench::new();
    let mut request = bench.request(&[&server.url("/a")]);
    request.target = bench.folder.path().join("missing/target");
    assert_eq!(bench.fail(&request).await.code(), "storage.write");
    assert_eq!(server.seen().len(), 1);
}
