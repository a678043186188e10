//! The other side dies at every step. So many rounds as `WHARF_ROUNDS` says.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};
use wharf_interop::v1::{Nothing, Plan};
use wharf_interop::{Calls, GoHost, Library, Program, World, processes};
use wharf_supervisor::{Process, Tls};

use crate::support::{rounds, soon};

/// Nothing may take longer once the other side is dead. A broker's dial may use its five seconds.
const BOUND: Duration = Duration::from_secs(8);

/// Delays that wander through the steps of a start, the same in every run.
fn delay(round: usize) -> Duration {
    Duration::from_micros((round as u64).wrapping_mul(7_919) % 40_000)
}

fn plugins() -> Vec<Program> {
    [Program::go(Library::Current), Some(Program::wharf())].into_iter().flatten().collect()
}

/// Ends the plugin that carries this mark; its guardian does so too, and stays.
fn kill_plugin(mark: &str) -> bool {
    let names = ["go-plugin", "wharf-interop-plugin"];
    let victims = processes::marked(mark).into_iter().filter(|pid| {
        let command = processes::command(*pid);
        let program = command.split(' ').next().unwrap_or_default();
        names.iter().any(|name| program.ends_with(name))
    });
    let mut any = false;
    for pid in victims {
        processes::signal(pid, Signal::KILL);
        any = true;
    }
    any
}

// X5
#[tokio::test]
async fn x5_a_plugin_that_dies_while_it_starts() {
    for plugin in plugins() {
        let mut hits = 0;
        for round in 0..rounds() {
            let world = World::new();
            let mark = world.mark().1.to_owned();
            let mux = round % 2 == 1;
            let tls = if round % 3 == 0 { Tls::Off } else { Tls::Auto };
            let started = world.launch(&plugin).tls(tls).multiplex(mux).start();
            let kill = async {
                // Before the line, after it, during TLS, or just after the start.
                while processes::marked(&mark).is_empty() {
                    sleep(Duration::from_millis(1)).await;
                }
                sleep(delay(round)).await;
                (kill_plugin(&mark), Instant::now())
            };
            let (started, (hit, killed)) = tokio::join!(soon("the start", started), kill);
            hits += usize::from(hit);
            assert!(killed.elapsed() < BOUND, "round {round}: {:?}", killed.elapsed());
            match started {
                Ok(process) => drop(soon("the stop", process.stop()).await),
                Err(error) => {
                    assert!(matches!(error.code(), "launch" | "handshake" | "crashed"), "{error}");
                }
            }
            world.finish();
        }
        assert!(hits > rounds() / 2, "{hits} plugins were killed");
    }
}

async fn dying(
    process: Process,
    round: usize,
    work: impl AsyncFn(&Calls) -> Result<(), tonic::Status>,
) {
    let calls = Calls::new(&process);
    let kill = async {
        sleep(delay(round)).await;
        processes::signal(process.pid(), Signal::KILL);
        Instant::now()
    };
    let (_outcome, killed) = tokio::join!(soon("the call", work(&calls)), kill);
    assert!(killed.elapsed() < BOUND, "round {round}: {:?}", killed.elapsed());
    let exit = soon("the exit", process.wait()).await;
    assert_eq!(exit.signal, Some(9), "{exit:?}");
    soon("the stop", process.stop()).await;
}

// X5
#[tokio::test]
async fn x5_a_plugin_that_dies_while_it_is_used() {
    let flow = async |calls: &Calls| {
        let plan = Plan { count: 1_000, bytes: 10_000, pause_ms: 1 };
        let mut messages = calls.client().flow(plan).await?.into_inner();
        while messages.message().await?.is_some() {}
        Ok(())
    };
    let broker = async |calls: &Calls| {
        loop {
            calls.call_back().await?;
            calls.offer().await?;
        }
    };
    for plugin in plugins() {
        for round in 0..rounds() {
            let world = World::new();
            let start = || world.launch(&plugin).multiplex(round % 2 == 1).start();
            dying(start().await.unwrap(), round, async |calls: &Calls| calls.hang().await).await;
            dying(start().await.unwrap(), round, flow).await;
            dying(start().await.unwrap(), round, broker).await;
            world.finish();
        }
    }
}

// X5
#[tokio::test]
async fn x5_a_plugin_that_dies_while_it_stops() {
    for plugin in plugins() {
        for round in 0..rounds() {
            let world = World::new();
            let process = world.launch(&plugin).start().await.unwrap();
            Calls::new(&process).client().tell(Nothing {}).await.unwrap();
            let kill = async {
                sleep(delay(round) / 8).await;
                processes::signal(process.pid(), Signal::KILL);
            };
            let (stopped, ()) = tokio::join!(soon("the stop", process.stop()), kill);
            assert!(stopped.took < BOUND, "{stopped:?}");
            world.finish();
        }
    }
}

// X5, P56
#[test]
fn x5_a_go_host_that_dies_leaves_no_wharf_plugin() {
    for round in 0..rounds() {
        let Some(host) = GoHost::new(Library::Current) else { return };
        let world = World::new();
        let mark = world.mark().1.to_owned();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let up = || processes::marked(&mark).len() >= 2;
                processes::wait_until("host and plugin run", Duration::from_secs(20), up);
                std::thread::sleep(delay(round));
                let hosts = processes::marked(&mark);
                for pid in
                    hosts.into_iter().filter(|pid| processes::command(*pid).contains("go-host"))
                {
                    processes::signal(pid, Signal::KILL);
                }
            });
            let steps = ["flow:100000:1000", "callback:100000", "offer:100000", "sleep:20000"];
            let host = host.mtls(round % 2 == 0).mux(round % 3 == 0).steps(steps[round % 4]);
            assert!(!host.succeeds(&world, &Program::wharf()), "it was killed");
        });
        processes::wait_none(&mark, Duration::from_secs(2));
        world.finish_beside_others();
    }
}
