//! wharf's host and Go plugins: versions, calls, limits, services.

use std::time::Duration;

use rustix::process::Signal;
use tonic::Code;
use tonic::codegen::http::uri::PathAndQuery;
use wharf_interop::{Calls, Library, Program, World, processes};
use wharf_supervisor::Tls;

use crate::support::{SERVICES, services, soon, stop};

// H42, H43, H44
#[tokio::test]
async fn the_highest_common_version_is_spoken() {
    for library in Library::ALL {
        let Some(go) = Program::go(library) else { return };
        let world = World::new();
        let cases: [(&[u32], &[&str], u32); 4] = [
            (&[1, 2], &["-versions", "2,3"], 2),
            (&[2], &["-versions", "2,3"], 2),
            (&[2], &["-versions", "2", "-plain-version"], 2),
            (&[1], &["-versions", "1,2"], 1),
        ];
        for (versions, args, chosen) in cases {
            let plugin = args.iter().fold(go.clone(), |plugin, arg| plugin.arg(*arg));
            let process = world.launch(&plugin).versions(versions).start().await.unwrap();
            assert_eq!(process.handshake().app_version, chosen);
            assert_eq!(Calls::new(&process).tell().await.unwrap().version, chosen);
            stop(&process).await;
        }
        world.finish();
    }
}

// H13
#[tokio::test]
async fn a_go_plugin_without_a_common_version_is_refused_with_both_sides_versions() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let plugin = go.arg("-versions").arg("7,9");
    let error = world.launch(&plugin).versions(&[1, 2]).start().await.unwrap_err();
    assert_eq!(error.code(), "handshake");
    let said = error.to_string();
    assert!(said.contains('7') && said.contains('1') && said.contains('2'), "{said}");
    world.finish();
}

// H45
#[tokio::test]
async fn a_service_that_is_not_there_is_unimplemented_and_does_no_harm() {
    // tonic has no names to dispense: a client for a service is made without the plugin, so its first call tells.
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let process = world.launch(&go).start().await.unwrap();
    let mut grpc = tonic::client::Grpc::new(process.channel());
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static("/interop.v1.Nobody/Home");
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let status = grpc.unary(tonic::Request::new(()), path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    Calls::new(&process).echo().await.unwrap();
    stop(&process).await;
    world.finish();
}

// H1, H46, H47, H50
#[tokio::test]
async fn calls_and_streams_of_go_plugins() {
    for library in Library::ALL {
        let Some(go) = Program::go(library) else { return };
        let world = World::new();
        let process = world.launch(&go).tls(Tls::Off).start().await.unwrap();
        // Neither stdio nor broker has sent a header yet.
        assert!(process.handshake().took < Duration::from_secs(1), "{:?}", process.handshake());
        let calls = Calls::new(&process);
        calls.echo().await.unwrap();
        calls.sum().await.unwrap();
        calls.flow(100, 10_000).await.unwrap();
        stop(&process).await;
        world.finish();
    }
}

// H48
#[tokio::test]
async fn large_messages_pass_or_fail_with_their_sizes() {
    for library in Library::ALL {
        let Some(go) = Program::go(library) else { return };
        let world = World::new();
        let process = world.launch(&go).start().await.unwrap();
        let calls = Calls::new(&process);
        calls.make(64 << 20).await.unwrap();
        let status = calls.measure(5 << 20).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        let said = status.message();
        assert!(said.contains("4194304") && said.contains("52428"), "{said}");
        calls.echo().await.unwrap();
        stop(&process).await;
        let raised = go.arg("-limit").arg("100000000");
        let process = world.launch(&raised).start().await.unwrap();
        assert_eq!(Calls::new(&process).measure(64 << 20).await.unwrap(), 64 << 20);
        stop(&process).await;
        world.finish();
    }
}

// H49
#[tokio::test]
async fn the_authority_is_localhost_for_every_server() {
    let plugins = [Program::go(Library::Current), Program::go(Library::Old), Program::node()];
    for plugin in plugins.into_iter().flatten() {
        for tls in [Tls::Auto, Tls::Off] {
            let world = World::new();
            let process = world.launch(&plugin).tls(tls).start().await.unwrap();
            let about = Calls::new(&process).tell().await.unwrap();
            assert_eq!(about.authority, "localhost", "{}", about.library);
            stop(&process).await;
            world.finish();
        }
    }
    // grpcio shows the authority to nobody, but refuses those it cannot read.
    let Some(python) = Program::python() else { return };
    let world = World::new();
    let process = world.launch(&python).start().await.unwrap();
    Calls::new(&process).echo().await.unwrap();
    stop(&process).await;
    world.finish();
}

// H51
#[tokio::test]
async fn a_plugin_without_the_optional_services_works() {
    let Some(python) = Program::python() else { return };
    let world = World::new();
    let bare = ["health", "stdio"].iter().fold(python, |it, name| it.arg("--without").arg(*name));
    let process = world.launch(&bare).start().await.unwrap();
    Calls::new(&process).echo().await.unwrap();
    process.ping(Duration::from_secs(5)).await.unwrap();
    let id = process.broker().next_id();
    let refused = soon("the dial", process.broker().dial(id)).await.unwrap_err();
    assert!(refused.to_string().contains("closed"), "{refused}");
    Calls::new(&process).sum().await.unwrap();
    stop(&process).await;
    world.finish();
}

// H52
#[tokio::test]
async fn a_ping_tells_live_stopped_and_ended_plugins_apart() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let process = world.launch(&go).start().await.unwrap();
    process.ping(Duration::from_secs(5)).await.unwrap();
    processes::stop(process.pid());
    let error = process.ping(Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(error.code(), "unresponsive");
    processes::signal(process.pid(), Signal::CONT);
    process.ping(Duration::from_secs(5)).await.unwrap();
    stop(&process).await;
    let error = process.ping(Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(error.code(), "crashed");
    world.finish();
}

// H53
#[tokio::test]
async fn reflection_lists_all_services_of_a_go_plugin() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let process = world.launch(&go).start().await.unwrap();
    assert_eq!(services(process.channel()).await, SERVICES);
    stop(&process).await;
    world.finish();
}

// H17, H18
#[tokio::test]
async fn a_plugin_that_speaks_netrpc_or_says_nothing_about_it_is_refused() {
    for (rest, word) in [("", "netrpc"), ("|netrpc", "netrpc"), ("|thrift|", "thrift")] {
        let world = World::new();
        let mut plugin = Program::wharf();
        plugin.path = "/bin/sh".into();
        let line = format!("echo \"1|1|unix|$PLUGIN_UNIX_SOCKET_DIR/s{rest}\"; exec sleep 100");
        let plugin = plugin.arg("-c").arg(line);
        let error = world.launch(&plugin).start().await.unwrap_err();
        assert_eq!(error.code(), "handshake");
        let said = error.to_string();
        assert!(said.contains(word) && said.contains("grpc"), "{said}");
        world.finish();
    }
}
