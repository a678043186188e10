//! How plugins of others end under wharf's host.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tonic::Code;
use wharf_interop::{Calls, Library, Program, World, processes};
use wharf_supervisor::{Process, StopStep, Tls};

use crate::support::{soon, stop};

// H101
#[tokio::test]
async fn a_go_plugin_ends_by_itself_and_cleans_up() {
    for library in Library::ALL {
        let Some(go) = Program::go(library) else { return };
        for mux in [false, true] {
            let world = World::new();
            let file = world.path().join("cleaned");
            let plugin = go.clone().arg("-cleanup").arg(file.to_string_lossy());
            let mux = mux && library == Library::Current;
            let process = world.launch(&plugin).multiplex(mux).start().await.unwrap();
            Calls::new(&process).echo().await.unwrap();
            stop(&process).await;
            assert_eq!(std::fs::read_to_string(&file).unwrap(), "cleaned up\n");
            let again = process.stop().await;
            assert_eq!(again.step, StopStep::Shutdown, "the second stop says what the first found");
            world.finish();
        }
    }
}

// H103
#[tokio::test]
async fn a_plugin_without_the_controller_is_ended_in_time() {
    let plugins = [
        Program::python().map(|it| it.arg("--without").arg("controller")),
        Program::node().map(|it| it.arg("--without=controller")),
    ];
    for plugin in plugins.into_iter().flatten() {
        let world = World::new();
        let process = world.launch(&plugin).start().await.unwrap();
        Calls::new(&process).echo().await.unwrap();
        let stopped = process.stop().await;
        // wharf does not wait for what cannot come: it goes on to SIGTERM.
        assert_eq!(stopped.step, StopStep::Terminate, "{stopped:?}");
        assert!(stopped.took < Duration::from_millis(2_300), "{stopped:?}");
        world.finish();
        let world = World::new();
        let launch = world.launch(&plugin).stop_times(Duration::ZERO, Duration::ZERO);
        let process = launch.start().await.unwrap();
        assert_eq!(process.stop().await.step, StopStep::Kill);
        world.finish();
    }
}

// H105
#[tokio::test]
async fn a_stopped_go_plugin_is_ended_in_time() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let half = Duration::from_millis(500);
    let process = world.launch(&go).stop_times(half, half).start().await.unwrap();
    processes::stop(process.pid());
    let stopped = soon("the stop", process.stop()).await;
    assert_eq!(stopped.step, StopStep::Kill);
    assert!(stopped.took < Duration::from_secs(3), "{stopped:?}");
    world.finish();
}

// H108
#[tokio::test]
async fn a_killed_go_plugin_is_noticed_and_its_calls_fail() {
    let Some(go) = Program::go(Library::Current) else { return };
    for mux in [false, true] {
        let world = World::new();
        let process = world.launch(&go).multiplex(mux).start().await.unwrap();
        let calls = Calls::new(&process);
        let killed = async {
            // The call is on its way once another one has been answered.
            calls.echo().await.unwrap();
            processes::signal(process.pid(), Signal::KILL);
            Instant::now()
        };
        let (hung, at) = tokio::join!(calls.hang(), killed);
        let status = hung.unwrap_err();
        assert!(matches!(status.code(), Code::Unavailable | Code::Unknown), "{status}");
        let exit = soon("the exit", process.wait()).await;
        assert!(at.elapsed() < Duration::from_secs(2));
        assert_eq!((exit.signal, exit.by_host), (Some(9), None));
        assert!(calls.echo().await.is_err());
        assert_eq!(process.stop().await.step, StopStep::AlreadyEnded);
        world.finish();
    }
}

// H109
#[tokio::test]
async fn a_crash_of_a_python_or_node_plugin_is_in_the_exits_report() {
    for plugin in [Program::python(), Program::node()].into_iter().flatten() {
        let world = World::new();
        let process = world.launch(&plugin).start().await.unwrap();
        assert!(Calls::new(&process).panic("out of cheese").await.is_err());
        let exit = soon("the exit", process.wait()).await;
        assert!(exit.is_crash() && exit.code == Some(1), "{exit:?}");
        assert!(exit.stderr.join("\n").contains("out of cheese"), "{exit:?}");
        assert_eq!(process.stop().await.step, StopStep::AlreadyEnded);
        world.finish();
    }
}

// H111
#[test]
fn a_killed_host_leaves_no_go_plugin_behind() {
    if Program::go(Library::Current).is_none() {
        return;
    }
    let world = World::new();
    let (mark, value) = world.mark();
    let exe = std::env::current_exe().unwrap();
    let mut host = Command::new(exe)
        .args(["--exact", "ends::a_host_with_go_plugins", "--ignored", "--nocapture"])
        .env("INTEROP_WORLD", world.path())
        .env(mark, value)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let ready = world.path().join("ready");
    processes::wait_until("the host is ready", Duration::from_secs(30), || ready.exists());
    assert!(processes::marked(value).len() >= 9, "host, guardians, plugins");
    processes::signal(host.id(), Signal::KILL);
    let killed = Instant::now();
    host.wait().unwrap();
    processes::wait_none(value, Duration::from_secs(2));
    assert!(killed.elapsed() < Duration::from_secs(2));
    world.finish();
}

#[tokio::test]
#[ignore = "started by a_killed_host_leaves_no_go_plugin_behind"]
async fn a_host_with_go_plugins() {
    let Some(folder) = std::env::var_os("INTEROP_WORLD") else { return };
    let folder = std::path::PathBuf::from(folder);
    let mark = std::env::var("INTEROP_MARK").unwrap();
    let mut plugins: Vec<Process> = Vec::new();
    for (library, tls) in [
        (Library::Current, Tls::Auto),
        (Library::Current, Tls::Off),
        (Library::Old, Tls::Auto),
        (Library::Old, Tls::Off),
    ] {
        let go = Program::go(library).unwrap();
        let launch = wharf_supervisor::Launch::new(&go.path)
            .cookie(&go.cookie.0, &go.cookie.1)
            .runtime_dir(folder.join("run"))
            .set_env("INTEROP_MARK", &mark)
            .tls(tls);
        let process = launch.start().await.unwrap();
        Calls::new(&process).echo().await.unwrap();
        plugins.push(process);
    }
    std::fs::write(folder.join("ready"), "").unwrap();
    std::future::pending::<()>().await;
}
