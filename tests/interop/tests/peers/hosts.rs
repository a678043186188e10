//! wharf's plugin under hosts on the real Go library.

use wharf_interop::{GoHost, HostRun, Library, Program, World};

use crate::support::SERVICES;

/// Runs these steps under every host, in clear and inside TLS, and checks that all of them succeed.
fn under_all(steps: &str, plugin: &Program, check: impl Fn(Library, &HostRun)) {
    for library in Library::ALL {
        for mtls in [false, true] {
            let Some(host) = GoHost::new(library) else { return };
            let world = World::new();
            let run = host.mtls(mtls).steps(steps).run(&world, plugin);
            run.check();
            check(library, &run);
            world.finish();
        }
    }
}

// P18, P19, P24
#[test]
fn calls_streams_ping_and_stop_under_every_go_host() {
    // In clear a Go host says `unused` as the authority, inside TLS `localhost`.
    under_all("echo,sum,flow:100:10000,cancel,ping", &Program::wharf(), |_, _| {});
}

// P20
#[test]
fn connections_through_the_broker_both_ways_under_every_go_host() {
    for library in Library::ALL {
        for mtls in [false, true] {
            let Some(host) = GoHost::new(library) else { return };
            let world = World::new();
            let run =
                host.mtls(mtls).steps("callback:5,offer:5,echo").run(&world, &Program::wharf());
            run.check();
            world.finish();
        }
    }
}

// P21, P40, P57
#[test]
fn all_of_it_through_the_multiplexer() {
    for mtls in [false, true] {
        let Some(host) = GoHost::new(Library::Current) else { return };
        let world = World::new();
        let steps =
            "echo,sum,flow:200:1048576,ping,callback:20,offer:20,reflection,print,cancel,echo";
        let run = host.mtls(mtls).mux(true).steps(steps).run(&world, &Program::wharf());
        run.check();
        assert_eq!(run.step("reflection").values["services"], SERVICES.join(" "));
        world.finish();
    }
}

// P22
#[test]
fn reflection_in_both_versions_lists_all_services() {
    let Some(host) = GoHost::new(Library::Current) else { return };
    let world = World::new();
    let run = host.mtls(true).steps("reflection,reflection1").run(&world, &Program::wharf());
    run.check();
    for step in run.steps() {
        assert_eq!(step.values["services"], SERVICES.join(" "), "{}", step.name);
    }
    world.finish();
}

// P23
#[test]
fn health_under_every_go_host() {
    under_all("health", &Program::wharf(), |_, run| {
        let values = &run.step("health").values;
        assert_eq!(values["check plugin"], "SERVING");
        assert_eq!(values["check "], "SERVING");
        assert_eq!(values["check nonsense"], "NotFound");
        assert_eq!(values["watch"], "SERVING");
    });
}

// P25
#[test]
fn further_connections_to_the_main_socket_are_served() {
    for library in Library::ALL {
        let Some(host) = GoHost::new(library) else { return };
        let world = World::new();
        let run = host.steps("echo,redial,echo,redial,ping").run(&world, &Program::wharf());
        run.check();
        world.finish();
    }
}

// P26
#[test]
fn large_requests_are_taken_and_large_answers_given() {
    under_all("measure:5242880,make:67108864", &Program::wharf(), |_, run| {
        assert_eq!(run.step("measure:5242880").values["bytes"], "5242880");
        assert_eq!(run.step("make:67108864").values["bytes"], "67108864");
    });
}

// P13, P14, P17
#[test]
fn versions_are_agreed_on_with_every_go_host() {
    for library in Library::ALL {
        let Some(host) = GoHost::new(library) else { return };
        let world = World::new();
        let run = host.arg("-versions").arg("1,2,3").steps("tell");
        let run = run.run(&world, &Program::wharf().arg("versions=2,3"));
        run.check();
        assert_eq!((run.version, run.step("tell").values["version"].as_str()), (3, "3"));
        let host = GoHost::new(library).unwrap();
        let run = host.arg("-versions").arg("1").run(&world, &Program::wharf().arg("versions=3,2"));
        assert!(!run.started);
        assert!(run.error.contains("Plugin version: 2"), "{}", run.error);
        // Go kills a plugin that it does not want.
        world.finish_killed();
    }
}

// P10
#[test]
fn a_plugin_on_tcp_is_served_under_every_go_host() {
    under_all("echo,callback,offer", &Program::wharf().arg("tcp"), |_, _| {});
}

#[test]
fn a_go_host_may_keep_its_own_variables_to_itself() {
    let Some(host) = GoHost::new(Library::Current) else { return };
    let world = World::new();
    let host = host.mtls(true).arg("-skip-env").variable("A_SECRET", "of the host");
    let run = host.steps("echo,tell,callback,offer").run(&world, &Program::wharf());
    run.check();
    assert!(!run.step("tell").values.contains_key("A_SECRET"), "{run:#?}");
    world.finish_killed();
}

// P8
#[test]
fn a_go_hosts_group_gets_the_sockets() {
    let Some(host) = GoHost::new(Library::Current) else { return };
    let world = World::new();
    let own = rustix::process::getegid();
    // Root may give them to any group, others to their own.
    let group = if own.is_root() { 65_534 } else { own.as_raw() };
    let host = host.mtls(true).arg("-group").arg(&group.to_string());
    host.steps("echo,callback,offer").run(&world, &Program::wharf()).check();
    world.finish();
}

// P27
#[test]
fn a_go_host_gives_up_on_a_plugin_that_lies_about_multiplexing() {
    let (Some(host), Some(python)) = (GoHost::new(Library::Current), Program::python()) else {
        return;
    };
    let world = World::new();
    let folder = world.path().to_string_lossy().into_owned();
    let host = host.mux(true).arg("-timeout").arg("4s").variable("PLUGIN_UNIX_SOCKET_DIR", &folder);
    let run = host.steps("echo").run(&world, &python.arg("--lie-about-multiplexing"));
    assert!(!run.started || !run.step("echo").error.is_empty(), "{run:#?}");
    world.finish_beside_others();
}

// P43
#[test]
fn every_level_is_a_line_that_a_go_host_reads() {
    under_all("log,sleep:100", &Program::wharf(), |_, run| {
        for level in ["trace", "debug", "info", "warn", "error"] {
            let lines = run.logged(&format!("a line at {level}"));
            assert_eq!(lines.len(), 1, "{level}: {:#?}", run.logs());
            let line = lines[0];
            assert_eq!(line["@level"], level);
            assert_eq!(line["colour"], "blue");
            assert_eq!(line["quote"], "a \"b\"\nc");
            let module = line["@module"].as_str().unwrap();
            assert!(module.contains("wharf_interop"), "{module}");
        }
        let raw = run.raw_stderr();
        for line in raw.lines() {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            let time = object["@timestamp"].as_str().unwrap();
            let fraction = time.split('.').nth(1).unwrap();
            let digits = fraction.chars().take_while(char::is_ascii_digit).count();
            assert_eq!(digits, 6, "{time}");
        }
    });
}

// P44
#[test]
fn a_panic_is_an_error_in_a_go_hosts_log() {
    let Some(host) = GoHost::new(Library::Current) else { return };
    let world = World::new();
    let run = host.steps("panic,echo,sleep:100").run(&world, &Program::wharf());
    assert!(!run.step("panic").error.is_empty());
    let lines = run.logged("panic: out of cheese");
    assert_eq!(lines.len(), 1, "{:#?}", run.logs());
    assert_eq!(lines[0]["@level"], "error");
    let errors = run.logs().iter().filter(|line| line["@level"] == "error").count();
    assert!(errors > 5, "the backtrace too: {:#?}", run.logs());
    world.finish();
}

// P46
#[test]
fn printed_text_reaches_a_go_host_byte_for_byte() {
    for (argument, stderr) in [("capture-stderr", &b"err line\n"[..]), ("versions=1", &b""[..])] {
        for mux in [false, true] {
            let Some(host) = GoHost::new(Library::Current) else { return };
            let world = World::new();
            let run = host.mtls(true).mux(mux).steps("print,chatter:500,sleep:50");
            let run = run.run(&world, &Program::wharf().arg(argument));
            run.check();
            let block = "0123456789abcdef".repeat(64 * 500);
            assert!(run.stdout() == [b"out \0\xff line\n", block.as_bytes()].concat());
            assert_eq!(run.stderr(), stderr);
            assert_eq!(run.logged("err line").len(), usize::from(stderr.is_empty()));
            world.finish();
        }
    }
}

// P52
#[test]
fn shutdown_by_a_go_host_is_an_orderly_end() {
    for library in Library::ALL {
        for steps in ["echo", "cancel,callback,offer,print"] {
            let Some(host) = GoHost::new(library) else { return };
            let world = World::new();
            let file = world.path().join("cleaned");
            let plugin = Program::wharf().arg(format!("cleanup={}", file.display()));
            // The old library has no stdio, so that step cannot succeed there.
            let steps = if library == Library::Old { "echo,offer" } else { steps };
            let run = host.mtls(true).steps(steps).run(&world, &plugin);
            run.check();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), "cleaned up\n");
            world.finish();
        }
    }
}

// X5
#[test]
fn a_killed_call_and_an_exit_are_told_to_a_go_host() {
    for steps in ["exit:3,gone", "sigkill,gone"] {
        let Some(host) = GoHost::new(Library::Current) else { return };
        let world = World::new();
        let run = host.mtls(true).steps(steps).run(&world, &Program::wharf());
        assert_eq!(run.steps()[0].code, "Unavailable", "{run:#?}");
        assert_eq!(run.step("gone").error, "");
        assert!(run.exited);
        world.finish_killed();
    }
}
