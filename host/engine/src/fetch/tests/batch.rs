//! Many files in one go.

use std::{collections::HashSet, fs, sync::Arc};

use tempfile::tempdir;

use super::{
    Bench, Config, Error, Request, Trust, bytes, digest, in_time, quick,
    server::{Server, Step, answer, ok},
    source,
};
use crate::fetch::Fetched;

/// One request for each address, with a target of its own.
fn requests(bench: &Bench, urls: &[String], trust: &Trust) -> Vec<Request> {
    let trust = Arc::new(trust.clone());
    let request = |(place, url): (usize, &String)| Request {
        sources: vec![source(url)],
        target: bench.folder.path().join(place.to_string()),
        trust: Arc::clone(&trust),
        ..Request::default()
    };
    urls.iter().enumerate().map(request).collect()
}

fn body(path: &str) -> Vec<u8> {
    let mut body = bytes(if path.ends_with("77") { 1 << 20 } else { 1024 });
    body.extend_from_slice(path.as_bytes());
    body
}

#[tokio::test]
async fn each_file_of_a_batch_has_its_own_outcome() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/5" => vec![answer("404 Not Found", "", b"")],
        "/6" if seen.before == 0 => vec![Step::Close],
        path => ok(&body(path)),
    })
    .await;
    let bench = Bench::with(Config { parallel: 8, ..quick() });
    let urls: Vec<String> = (0..300).map(|place| server.url(&format!("/{place}"))).collect();
    let mut requests = requests(&bench, &urls, &Trust::public().typed(&urls[0]));
    requests[7].digests = digest(b"other");
    let results = in_time(bench.fetcher.fetch_many(&requests, &bench.cancel, &bench.meter)).await;
    assert_eq!(results.len(), 300);
    for (place, result) in results.iter().enumerate() {
        match (place, result) {
            (5, Err(error)) => assert_eq!(error.code(), "source.not_found"),
            (7, Err(error)) => assert_eq!(error.code(), "integrity.digest"),
            (_, Ok(Fetched::Done(done))) => {
                let expected = body(&format!("/{place}"));
                assert_eq!(done.size, expected.len() as u64);
                assert!(fs::read(&requests[place].target).unwrap() == expected);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bench.meter.files(), 298);
    let connections: HashSet<usize> = server.seen().iter().map(|seen| seen.connection).collect();
    assert!(connections.len() <= 8 + 4, "connections are used again: {}", connections.len());
}

#[tokio::test]
async fn a_batch_of_local_files_arrives_too() {
    let folder = tempdir().unwrap();
    let count = 150;
    let urls: Vec<String> = (0..count)
        .map(|place| {
            let path = folder.path().join(place.to_string());
            fs::write(&path, body(&place.to_string())).unwrap();
            format!("file://{}", path.display())
        })
        .collect();
    fs::remove_file(folder.path().join("9")).unwrap();
    let bench = Bench::new();
    let requests = requests(&bench, &urls, &Trust::public().folder(folder.path()));
    let results = in_time(bench.fetcher.fetch_many(&requests, &bench.cancel, &bench.meter)).await;
    for (place, result) in results.iter().enumerate() {
        match result {
            Ok(_) => {
                assert!(fs::read(&requests[place].target).unwrap() == body(&place.to_string()));
            }
            Err(error) => assert_eq!((place, error.code()), (9, "source.file")),
        }
    }
    assert_eq!(bench.meter.files(), count - 1);
}

#[tokio::test]
async fn a_stop_ends_a_batch() {
    let server = Server::start(|_| vec![Step::Hang]).await;
    let bench = Bench::with(Config { parallel: 4, ..quick() });
    let urls: Vec<String> = (0..100).map(|place| server.url(&format!("/{place}"))).collect();
    let requests = requests(&bench, &urls, &Trust::public().typed(&urls[0]));
    let stop = async {
        while bench.meter.requests() < 4 {
            tokio::task::yield_now().await;
        }
        bench.cancel.cancel();
    };
    let batch = bench.fetcher.fetch_many(&requests, &bench.cancel, &bench.meter);
    let (results, ()) = in_time(async { tokio::join!(batch, stop) }).await;
    assert!(results.iter().all(|result| matches!(result, Err(Error::Cancelled))));
    assert_eq!(bench.meter.requests(), 4, "no more than the limit were asked for");
}
