//! What plugins print, in wharf's host.

use wharf_interop::{Calls, Library, Program, World};

use crate::support::{Taken, stop, until};

// H96, H97
#[tokio::test]
async fn what_a_go_plugin_prints_arrives_exactly_and_in_order() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let (out, err) = (Taken::default(), Taken::default());
    let launch = world.launch(&go).sync_stdout(out.clone()).sync_stderr(err.clone());
    let process = launch.start().await.unwrap();
    let calls = Calls::new(&process);
    let bytes: Vec<u8> = (0..5_000_u32).map(|it| it.to_be_bytes()[3]).collect();
    calls.print(&bytes, b"err \xff\0 line\n", 2).await.unwrap();
    until("all of it", || out.len() == 10_000 && err.len() == 24).await;
    assert_eq!(out.bytes(), [bytes.clone(), bytes].concat());
    assert_eq!(err.bytes(), b"err \xff\0 line\nerr \xff\0 line\n");
    assert!(out.pieces().iter().all(|piece| *piece <= 1_024), "{:?}", out.pieces());
    stop(&process).await;
    world.finish();
}

// H98
#[tokio::test]
async fn ten_mebibytes_that_nobody_wants_do_not_block_a_go_plugin() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let process = world.launch(&go).start().await.unwrap();
    let calls = Calls::new(&process);
    let mut block = vec![b'x'; 1 << 20];
    block.push(b'\n');
    calls.print(&block, b"", 10).await.unwrap();
    calls.echo().await.unwrap();
    stop(&process).await;
    world.finish();
}

// H99
#[tokio::test]
async fn output_right_before_the_end_is_complete() {
    let plugins = [(Some(Program::wharf()), true), (Program::go(Library::Current), false)];
    for (plugin, complete) in plugins {
        let Some(plugin) = plugin else { continue };
        for _ in 0..5 {
            let world = World::new();
            let out = Taken::default();
            let process = world.launch(&plugin).sync_stdout(out.clone()).start().await.unwrap();
            Calls::new(&process).print(&vec![b'x'; 50_000], b"", 1).await.unwrap();
            stop(&process).await;
            // The Go library flushes nothing at its end.
            assert!(!complete || out.len() == 50_000, "{} bytes", out.len());
            world.finish();
        }
    }
}

// H96
#[tokio::test]
async fn what_a_python_plugin_prints_arrives() {
    let Some(python) = Program::python() else { return };
    let world = World::new();
    let out = Taken::default();
    let process = world.launch(&python).sync_stdout(out.clone()).start().await.unwrap();
    Calls::new(&process).print(b"hello\n", b"", 100).await.unwrap();
    until("all of it", || out.len() == 600).await;
    stop(&process).await;
    world.finish();
}
