//! One start, step by step: prepare, run ([`super::begin`]), let it prove itself ([`super::trial`]),
//! hand over.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tracing::info;
use wharf_proto::handshake::Environment;

use super::Launch;
use super::begin::{Begun, Variables, check_program, start_run, start_tree};
use super::environment::{Wishes, environment};
use super::output::{self, Logs};
use super::place::Place;
use super::runner::Pipe;
use super::tls::Ours;
use super::trial::{Proof, Trial};
use crate::connect::{Handshake, Parts, Process, Shared};
use crate::error::Error;
use crate::exit::ByHost;
use crate::time::after;

/// How long a killed process may take to be gone.
const END_GRACE: Duration = Duration::from_secs(1);

pub(super) async fn start(mut launch: Launch, program: PathBuf) -> Result<Process, Error> {
    let begun = Instant::now();
    let deadline = after(begun, launch.start_timeout);
    let runner = launch.runner.clone();
    if runner.is_none() {
        check_program(&launch, &program)?;
    }
    let ours = launch.wire.tls.begin()?;
    let Place { folder, sockets, rules, host_socket } = Place::make(&launch).await?;
    let id = folder.number();
    let env = variables(&launch, &ours, &sockets.folder);
    let search_path = env.get(OsStr::new("PATH")).cloned();

    let mut tasks = JoinSet::new();
    let Begun { hold, stdout, stderr } = match runner {
        None => start_tree(&launch, &program, env, folder, deadline).await?,
        Some(runner) => {
            start_run(&launch, &program, env, folder, runner, &mut tasks, deadline).await?
        }
    };
    let logs = Arc::new(Logs::new(launch.name.clone(), id, &launch.streams.logging));
    let shared = Arc::new(Shared::new(launch.name.clone(), id, hold, logs));
    read_stderr(&mut launch, &mut tasks, &shared, stderr);
    let trial = Trial {
        launch: &launch,
        program: &program,
        shared: &shared,
        deadline,
        search_path,
        ours: &ours,
        rules: Arc::clone(&rules),
    };
    let proof = match trial.prove(stdout, &mut tasks).await {
        Ok(proof) => proof,
        Err(error) => {
            shared.kill(ByHost::Killed);
            timeout(END_GRACE, shared.hold.gone()).await.ok();
            return Err(error);
        }
    };
    let took = begun.elapsed();
    let Proof { app, address, security, channel, mux, certificate, line_at } = proof;
    info!(plugin = launch.name, pid = shared.hold.pid(), app, ?took, "plugin started");
    let mut handshake = Handshake::new(app, address, security.is_some(), took);
    handshake.multiplexing = mux.is_some();
    handshake.certificate = certificate;
    handshake.line_after = took.saturating_sub(line_at.elapsed());
    let parts = Parts {
        shared,
        tasks,
        channel,
        mux,
        security,
        sockets,
        handshake,
        stop_times: launch.stop_times,
        heartbeat: launch.heartbeat,
        max_message_bytes: launch.wire.max_message,
        host_services: host_socket.zip(launch.host_services),
        synced: launch.streams.synced,
    };
    Ok(parts.assemble())
}

fn variables(launch: &Launch, ours: &Ours, folder: &Path) -> Variables {
    let (min_port, max_port) = launch.wire.ports;
    let protocol = Environment {
        versions: launch.versions.clone(),
        min_port,
        max_port,
        client_certificate: ours.pem().map(str::to_owned),
        socket_dir: Some(folder.to_owned()),
        socket_group: launch.wire.group.clone(),
        multiplex: launch.wire.multiplex.then_some(true),
    };
    let wishes = Wishes {
        policy: &launch.env,
        set: &launch.set_env,
        folder,
        cookie: (&launch.cookie.0, &launch.cookie.1),
        protocol: &protocol,
    };
    environment(std::env::vars_os(), &wishes)
}

fn read_stderr(launch: &mut Launch, tasks: &mut JoinSet<()>, shared: &Arc<Shared>, stderr: Pipe) {
    let logs = Arc::clone(&shared.logs);
    let done = shared.stderr_read.clone().drop_guard();
    let raw = launch.streams.logging.raw.take();
    tasks.spawn(async move {
        output::read_stderr(stderr, logs, raw).await;
        drop(done);
    });
}
