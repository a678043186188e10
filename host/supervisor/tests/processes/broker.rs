//! Further connections between host and plugin, in both directions, with and without one socket for
//! all.

use std::fs;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use wharf_supervisor::{BrokerError, Network, Process, Serving, Tls};

use crate::fake::{self, ask, ask_channel};
use crate::support::{Home, LONG, until, within};
use kv::kv_server::{Kv, KvServer};
use kv::{GetRequest, GetResponse, PutRequest, PutResponse};

/// What the host serves.
struct Host;

#[tonic::async_trait]
impl Kv for Host {
    async fn get(&self, _: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        Ok(Response::new(GetResponse { value: b"the host".to_vec() }))
    }

    async fn put(&self, _: Request<PutRequest>) -> Result<Response<PutResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

async fn serve(process: &Process) -> (u32, Serving) {
    let id = process.broker().next_id();
    let routes = Routes::new(KvServer::new(Host));
    (id, process.broker().serve(id, routes).await.unwrap())
}

/// The plugin calls the host back.
async fn call_back(process: &Process) {
    let (id, serving) = serve(process).await;
    assert_eq!(ask(process, &format!("dial {id}")).await.unwrap(), "the host");
    within(serving.stop()).await;
}

/// The host calls what the plugin accepts.
async fn call_out(process: &Process) {
    let id = ask(process, "accept").await.unwrap().parse().unwrap();
    let channel = process.broker().dial(id).await.unwrap();
    assert_eq!(ask_channel(channel, "who").await.unwrap(), "the plugin");
}

fn sockets(process: &Process) -> Vec<String> {
    let entries = fs::read_dir(process.folder()).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("broker")).collect()
}

// H62, H63, H67
#[tokio::test]
async fn both_sides_accept_and_dial_and_no_socket_is_left() {
    let home = Home::new();
    for tls in [Tls::Auto, Tls::Off] {
        let process = fake::launch(&home, &[]).tls(tls).start().await.unwrap();
        for _round in 0..20 {
            call_back(&process).await;
            call_out(&process).await;
        }
        within(join_all((0..20).map(|_| call_back(&process)))).await;
        within(join_all((0..20).map(|_| call_out(&process)))).await;
        let (one, two) = (serve(&process).await, serve(&process).await);
        for (id, _serving) in [&two, &one] {
            assert_eq!(ask(&process, &format!("dial {id}")).await.unwrap(), "the host");
        }
        drop((one, two));
        ask(&process, "drop").await.unwrap();
        until(LONG, || {
            let left = sockets(&process);
            left.is_empty().then_some(()).ok_or(format!("{left:?}"))
        })
        .await;
        process.stop().await;
        home.nothing_is_left_within(Duration::ZERO).await;
    }
}

// H62, H63
#[tokio::test]
async fn the_hosts_side_listens_on_tcp_if_so_wished() {
    let home = Home::new();
    let launch = fake::launch(&home, &["tcp"]).network(Network::Tcp);
    let process = launch.start().await.unwrap();
    let (id, _serving) = serve(&process).await;
    assert!(sockets(&process).is_empty());
    assert_eq!(ask(&process, &format!("dial {id}")).await.unwrap(), "the host");
    call_out(&process).await;
}

// H76, H77, H80
#[tokio::test]
async fn one_socket_carries_connections_of_both_directions() {
    let home = Home::new();
    for tls in [Tls::Auto, Tls::Off] {
        let launch = fake::launch(&home, &[]).tls(tls).multiplex(true);
        let process = launch.start().await.unwrap();
        for _round in 0..20 {
            call_back(&process).await;
            call_out(&process).await;
        }
        assert!(sockets(&process).is_empty());
        let begun = Instant::now();
        let refused = ask(&process, "dial 4711").await.unwrap_err();
        assert!(refused.message().contains("4711"), "{refused}");
        assert!(begun.elapsed() < Duration::from_secs(2));
        assert_eq!(ask(&process, "version").await.unwrap(), "2");
        process.stop().await;
        home.nothing_is_left_within(Duration::ZERO).await;
    }
}

// H64, H65, H66
#[tokio::test]
async fn dial_and_announcement_may_be_five_seconds_apart() {
    let home = Home::new();
    let process = fake::start(&home, &[]).await;
    let accept = async |when: &str| ask(&process, when).await.unwrap().parse::<u32>().unwrap();
    let dial = async |id: u32| {
        let begun = Instant::now();
        let channel = process.broker().dial(id).await?;
        assert_eq!(ask_channel(channel, "who").await.unwrap(), "the plugin");
        Ok::<Duration, BrokerError>(begun.elapsed())
    };
    let timed_out = async |id: u32| {
        let begun = Instant::now();
        let error = process.broker().dial(id).await.unwrap_err();
        assert!(matches!(error, BrokerError::Timeout { .. }), "{error}");
        let took = begun.elapsed().as_secs_f64();
        assert!((4.5..5.5).contains(&took), "{took}");
    };
    let never = timed_out(4711);
    let dial_first = async {
        let id = accept("accept-in 3000").await;
        assert!(dial(id).await.unwrap() > Duration::from_secs(2));
    };
    let announced_first = async {
        let id = accept("accept").await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(dial(id).await.unwrap() < Duration::from_secs(1));
    };
    let announced_too_early = async {
        let id = accept("accept").await;
        tokio::time::sleep(Duration::from_secs(6)).await;
        timed_out(id).await;
    };
    let dialled_twice = async {
        let id = accept("accept").await;
        dial(id).await.unwrap();
        timed_out(id).await;
    };
    tokio::join!(never, dial_first, announced_first, announced_too_early, dialled_twice);
}

// H81
#[tokio::test]
async fn a_knock_without_an_answer_fails_after_five_seconds() {
    let home = Home::new();
    let process = fake::launch(&home, &["mute"]).multiplex(true).start().await.unwrap();
    let begun = Instant::now();
    let error = within(process.broker().dial(1)).await.unwrap_err();
    assert!(matches!(error, BrokerError::Timeout { id: 1 }), "{error}");
    let took = begun.elapsed().as_secs_f64();
    assert!((4.5..5.5).contains(&took), "{took}");
    assert_eq!(ask(&process, "version").await.unwrap(), "2");
}

// H68
#[tokio::test]
async fn what_is_never_dialled_goes_with_its_owner() {
    let home = Home::new();
    let process = fake::start(&home, &[]).await;
    let (_id, serving) = serve(&process).await;
    assert_eq!(sockets(&process).len(), 1);
    drop(serving);
    until(LONG, || sockets(&process).is_empty().then_some(()).ok_or("a socket".to_owned())).await;
}

// H69
#[tokio::test]
async fn a_broker_of_a_stopped_plugin_is_closed() {
    let home = Home::new();
    for multiplex in [false, true] {
        let process = fake::launch(&home, &[]).multiplex(multiplex).start().await.unwrap();
        let (_id, serving) = serve(&process).await;
        process.stop().await;
        let (accepted, dialled) =
            (process.broker().accept(9).await, process.broker().dial(9).await);
        assert!(matches!(accepted, Err(BrokerError::Closed)), "{accepted:?}");
        assert!(matches!(dialled, Err(BrokerError::Closed)), "{dialled:?}");
        drop(serving);
        home.nothing_is_left().await;
    }
}

// H69
#[tokio::test]
async fn a_broker_of_a_crashed_plugin_is_closed() {
    let home = Home::new();
    let process = fake::start(&home, &[]).await;
    process.kill();
    within(process.wait()).await;
    // Whoever dials at the moment of the crash learns it too.
    let closed = within(process.broker().dial(9)).await.unwrap_err();
    assert!(matches!(closed, BrokerError::Closed), "{closed}");
}
