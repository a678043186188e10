//! Peers in other languages, and Go plugins that others built.

use std::process::Command;
use std::time::Duration;

use wharf_interop::{Calls, GoHost, Library, Program, World, processes, python};
use wharf_supervisor::Tls;

use crate::support::stop;

// X2, H56, H49
#[tokio::test]
async fn plugins_on_grpcio_and_grpc_js() {
    for plugin in [Program::python(), Program::node()].into_iter().flatten() {
        for tls in [Tls::Auto, Tls::Off] {
            let world = World::new();
            let process = world.launch(&plugin).tls(tls).start().await.unwrap();
            let calls = Calls::new(&process);
            calls.echo().await.unwrap();
            calls.sum().await.unwrap();
            calls.flow(50, 10_000).await.unwrap();
            calls.make(8 << 20).await.unwrap();
            assert_eq!(calls.measure(8 << 20).await.unwrap(), 8 << 20);
            process.ping(Duration::from_secs(5)).await.unwrap();
            calls.log("warn", "a line", &[("colour", "blue")]).await.unwrap();
            stop(&process).await;
            world.finish();
        }
    }
}

// H56
#[test]
fn grpcio_refuses_the_go_hosts_kind_of_certificate() {
    // Not ours to mend, and the reason for our own kind: BoringSSL knows no P-521.
    let (Some(host), Some(plugin)) = (GoHost::new(Library::Current), Program::python()) else {
        return;
    };
    let world = World::new();
    let folder = world.path().to_string_lossy().into_owned();
    let host = host.mtls(true).variable("PLUGIN_UNIX_SOCKET_DIR", &folder);
    let run = host.arg("-timeout").arg("4s").steps("echo").run(&world, &plugin);
    assert_eq!(run.step("echo").code, "Unavailable", "{run:#?}");
    world.finish_beside_others();
}

// X2
#[tokio::test]
async fn a_plugin_on_python_plugin() {
    let Some(plugin) = Program::python_plugin() else { return };
    for tls in [Tls::Auto, Tls::Off] {
        let world = World::new();
        let process = world.launch(&plugin).tls(tls).start().await.unwrap();
        let calls = Calls::new(&process);
        calls.echo().await.unwrap();
        calls.sum().await.unwrap();
        calls.flow(20, 10_000).await.unwrap();
        calls.call_back().await.unwrap();
        calls.offer().await.unwrap();
        process.ping(Duration::from_secs(5)).await.unwrap();
        let stopped = process.stop().await;
        assert_eq!(stopped.exit.code, Some(0), "{stopped:?}");
        world.finish();
    }
}

// X4
#[test]
fn wharfs_plugin_under_a_host_on_python_plugin() {
    let Some((python, generated)) = python() else { return };
    for mtls in ["mtls", "plain"] {
        let world = World::new();
        let plugin = Program::wharf();
        let (mark, value) = world.mark();
        let mut command = Command::new(&python);
        command
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/host.py"))
            .args([&plugin.cookie.0, &plugin.cookie.1])
            .arg(mtls)
            .arg(&plugin.path)
            .env("PYTHONPATH", &generated)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("TMPDIR", world.path())
            .env(mark, value);
        let output = processes::output(&mut command);
        let said = String::from_utf8_lossy(&output.stdout);
        let wrong = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{mtls}: {said}\n{wrong}");
        let result: serde_json::Value = serde_json::from_str(&said).unwrap();
        // It cannot take announcements: the task that would read them ends before its call has begun.
        for step in ["echo", "sum", "flow", "callback", "health", "exit"] {
            assert_eq!(result[step], "ok", "{mtls}: {result}\n{wrong}");
        }
        world.finish_beside_others();
    }
}

// X3
#[tokio::test]
async fn go_plugins_that_others_built() {
    for name in ["dummy", "http", "email", "slack", "splunk"] {
        let Some(plugin) = Program::crowdsec(name) else { return };
        for tls in [Tls::Auto, Tls::Off] {
            let world = World::new();
            let process = world.launch(&plugin).tls(tls).start().await.unwrap();
            assert_eq!(process.handshake().app_version, 1);
            process.ping(Duration::from_secs(5)).await.unwrap();
            stop(&process).await;
            world.finish();
        }
        let world = World::new();
        let error = world.launch(&plugin).multiplex(true).start().await.unwrap_err();
        assert!(error.to_string().contains("multiplex"), "{error}");
        world.finish();
    }
}
