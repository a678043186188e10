//! Reading a file that is still coming.

use std::sync::Arc;

use tokio::sync::Notify;

use super::{
    Bench, bytes, digest, in_time,
    server::{Server, Step, announced, answer, ok},
};
use crate::fetch::{Broken, Follow, HOLD, Reader};

async fn all(mut reader: Reader) -> Result<Vec<u8>, (Vec<u8>, Broken)> {
    let mut bytes = Vec::new();
    loop {
        match reader.next().await {
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Ok(None) => return Ok(bytes),
            Err(broken) => return Err((bytes, broken)),
        }
    }
}

#[tokio::test]
async fn readers_get_the_beginning_while_the_end_is_on_the_way() {
    let body = bytes(4 << 20);
    let half = body.len() / 2;
    let sent = body.clone();
    let server = Server::start(move |_| {
        vec![
            announced("200 OK", "content-type: a/b\r\netag: \"x\"\r\n", &sent[..half], sent.len()),
            Step::Hang,
        ]
    })
    .await;
    let bench = Bench::new();
    let mut request = bench.request(&[&server.url("/a")]);
    let follow = Follow::new();
    request.follow = Some(follow.clone());
    let seen = Arc::new(Notify::new());
    let mut reader = follow.reader(0);
    let stop = async {
        let started = reader.started().await.unwrap();
        assert_eq!(
            (started.total, started.media_type.as_deref()),
            (Some(body.len() as u64), Some("a/b"))
        );
        let piece = reader.next().await.unwrap().unwrap();
        assert!(body.starts_with(&piece));
        seen.notify_one();
        bench.cancel.cancel();
        all(reader).await.unwrap_err()
    };
    let (error, (rest, broken)) = in_time(async { tokio::join!(bench.fail(&request), stop) }).await;
    assert_eq!((error.code(), broken.code), ("cancelled", "cancelled"));
    assert!(rest.len() < half);
}

#[tokio::test]
async fn the_whole_of_a_good_file_reaches_every_reader() {
    for size in [0, 10, 300 * 1024, 3 << 20] {
        let body = bytes(size);
        let sent = body.clone();
        let server = Server::start(move |_| ok(&sent)).await;
        let bench = Bench::new();
        let mut request = bench.request(&[&server.url("/a")]);
        request.digests = digest(&body);
        let follow = Follow::new();
        request.follow = Some(follow.clone());
        let from = size / 3;
        let (_, whole, part) = in_time(async {
            tokio::join!(
                bench.bring(&request, &body),
                all(follow.reader(0)),
                all(follow.reader(from as u64))
            )
        })
        .await;
        assert!(whole.unwrap() == body);
        assert!(part.unwrap() == body[from..]);
        assert!(all(follow.reader(0)).await.unwrap() == body, "late readers get it too");
    }
}

#[tokio::test]
async fn nobody_ever_gets_the_last_bytes_of_a_bad_file() {
    // F101, pulp D12: small ones are verified before the first byte leaves
    for size in [10, 3 << 20] {
        let body = bytes(size);
        let server = Server::start(move |_| ok(&body)).await;
        let bench = Bench::new();
        let mut request = bench.request(&[&server.url("/a")]);
        request.digests = digest(b"other");
        let follow = Follow::new();
        request.follow = Some(follow.clone());
        let (error, read) =
            in_time(async { tokio::join!(bench.fail(&request), all(follow.reader(0))) }).await;
        let (got, broken) = read.unwrap_err();
        assert_eq!(error.code(), "integrity.digest");
        assert!(broken.code == "integrity.digest" || broken.code == "source.truncated", "{broken}");
        assert!(got.len() as u64 <= (size as u64).saturating_sub(HOLD));
    }
}

#[tokio::test]
async fn a_resumed_transfer_goes_on_for_its_readers() {
    // F112
    let body = bytes(3 << 20);
    let sent = body.clone();
    let server = Server::start(move |seen| match seen.from() {
        None => {
            vec![announced("200 OK", "etag: \"x\"\r\n", &sent[..1 << 20], sent.len()), Step::Close]
        }
        Some(from) => {
            let range =
                format!("content-range: bytes {from}-{}/{}\r\n", sent.len() - 1, sent.len());
            vec![answer("206 Partial Content", &range, &sent[from..])]
        }
    })
    .await;
    let bench = Bench::new();
    let mut request = bench.request(&[&server.url("/a")]);
    let follow = Follow::new();
    request.follow = Some(follow.clone());
    let (_, read) =
        in_time(async { tokio::join!(bench.bring(&request, &body), all(follow.reader(0))) }).await;
    assert!(read.unwrap() == body);
}

#[tokio::test]
async fn a_transfer_that_is_dropped_leaves_no_reader_waiting() {
    let server = Server::start(|_| vec![Step::Hang]).await;
    let bench = Bench::new();
    let mut request = bench.request(&[&server.url("/a")]);
    let follow = Follow::new();
    request.follow = Some(follow.clone());
    let reader = follow.reader(0);
    drop(follow);
    {
        let fetch = bench.fetcher.fetch(&request, &bench.cancel, &bench.meter);
        let asked = async {
            while bench.meter.requests() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { _ = fetch => panic!("the server never answers"), () = asked => {} }
    }
    let (_, broken) = in_time(all(reader)).await.unwrap_err();
    assert_eq!(broken.code, "cancelled");
}
