//! Every host with every plugin: wharf and both Go libraries, in clear and inside TLS, with a socket for each number
//! and with one for all. What cannot work is written down here, and must fail as written.

use wharf_interop::{Calls, GoHost, Library, Outcome, Program, World};
use wharf_supervisor::Tls;

use crate::support::{Taken, stop, until};

/// Who makes the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Maker {
    Wharf,
    Go(Library),
}

const MAKERS: [Maker; 3] = [Maker::Wharf, Maker::Go(Library::Current), Maker::Go(Library::Old)];

impl Maker {
    fn plugin(self) -> Option<Program> {
        match self {
            Self::Wharf => Some(Program::wharf()),
            Self::Go(library) => Program::go(library),
        }
    }

    fn old(self) -> bool {
        self == Self::Go(Library::Old)
    }
}

/// Whether the plugin cannot dial the host: inside TLS, the old library looks for a name that no certificate has.
fn callback_fails(plugin: Maker, tls: bool) -> bool {
    plugin.old() && tls
}

// X1, H53, H96, H101
#[tokio::test]
async fn wharfs_host_with_every_plugin() {
    for maker in MAKERS {
        let Some(plugin) = maker.plugin() else { continue };
        for (tls, mux) in [(false, false), (true, false), (false, true), (true, true)] {
            let world = World::new();
            let at = format!("{maker:?}, TLS {tls}, multiplexing {mux}");
            let printed = Taken::default();
            let launch = world
                .launch(&plugin)
                .tls(if tls { Tls::Auto } else { Tls::Off })
                .multiplex(mux)
                .sync_stdout(printed.clone());
            let process = match launch.start().await {
                Ok(process) => process,
                Err(error) => {
                    assert!(mux && maker.old(), "{at}: {error}");
                    world.finish();
                    continue;
                }
            };
            assert!(!(mux && maker.old()), "{at}: the old library cannot do that");
            let calls = Calls::new(&process);
            let all: [(&str, Outcome); 4] = [
                ("echo", calls.echo().await),
                ("sum", calls.sum().await),
                ("flow", calls.flow(20, 100_000).await),
                ("offer", calls.offer().await),
            ];
            for (name, outcome) in all {
                outcome.unwrap_or_else(|status| panic!("{at}, {name}: {status}"));
            }
            let called_back = calls.call_back().await;
            assert_eq!(called_back.is_err(), callback_fails(maker, tls), "{at}: {called_back:?}");
            if !maker.old() {
                calls.print(b"printed\n", b"", 1).await.unwrap();
                until("it arrives", || printed.bytes() == b"printed\n").await;
            }
            stop(&process).await;
            world.finish();
        }
    }
}

// X1, P18, P19, P20, P21
#[test]
fn go_hosts_with_every_plugin() {
    for library in Library::ALL {
        for maker in MAKERS {
            for (mtls, mux) in [(false, false), (true, false), (false, true), (true, true)] {
                // This host cannot even ask.
                if mux && library == Library::Old {
                    continue;
                }
                let (Some(host), Some(plugin)) = (GoHost::new(library), maker.plugin()) else {
                    return;
                };
                go_host_with(host, &plugin, maker, library, mtls, mux);
            }
        }
    }
}

fn go_host_with(
    host: GoHost,
    plugin: &Program,
    maker: Maker,
    library: Library,
    mtls: bool,
    mux: bool,
) {
    let at = format!("{library:?} with {maker:?}, TLS {mtls}, multiplexing {mux}");
    let world = World::new();
    // Stdio came with 1.1; without it on either side printed text goes nowhere.
    let stdio = library == Library::Current && !maker.old();
    let steps = "echo,sum,flow:20:100000,callback,offer,ping";
    let steps = if stdio { format!("{steps},print") } else { steps.to_owned() };
    let run = host.mtls(mtls).mux(mux).steps(&steps).run(&world, plugin);
    if mux && maker.old() {
        assert!(run.error.contains("multiplexing"), "{at}: {}", run.error);
        return world.finish_beside_others();
    }
    assert!(run.started, "{at}: {}", run.error);
    for step in run.steps() {
        let fails = step.name == "callback" && callback_fails(maker, mtls);
        assert_eq!(!step.error.is_empty(), fails, "{at}, {}: {}", step.name, step.error);
    }
    assert!(!run.killed && run.exited && run.status == 0, "{at}: {run:#?}");
    world.finish_beside_others();
}
