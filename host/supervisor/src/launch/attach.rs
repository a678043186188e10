//! Takes hold of a plugin that somebody else started.
//!
//! Nothing is agreed on and nothing is asked: the process may stand in a debugger. That somebody
//! answers at its address is all that is proven, and whatever fails, the process is left alone.

use std::fmt;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::info;
use wharf_peer::Address;

use super::Launch;
use super::hold::Hold;
use super::output::Logs;
use super::place::Place;
use crate::connect::channel::{self, Way};
use crate::connect::dial::{DialError, Target};
use crate::connect::{Attached, Handshake, Parts, Process, Reattach, Shared};
use crate::error::Error;
use crate::time::after;

pub(super) async fn attach(launch: Launch, description: Reattach) -> Result<Process, Error> {
    let begun = Instant::now();
    let deadline = after(begun, launch.start_timeout);
    let Reattach { protocol, protocol_version, pid, test, network, address } = description;
    let failed = |reason: &dyn fmt::Display| Error::NotAttached {
        plugin: launch.name.clone(),
        pid,
        reason: reason.to_string(),
    };
    if protocol != "grpc" {
        let protocol = if protocol.is_empty() { "netrpc" } else { &protocol };
        let shown = crate::text::excerpt(protocol, 50);
        return Err(failed(&format!("it speaks the protocol {shown}; only grpc is supported")));
    }
    let ours = launch.wire.tls.begin()?;
    let security = ours.agree(None).map_err(|problem| failed(&problem))?;
    let Place { folder, sockets, rules, host_socket } = Place::make(&launch).await?;
    let id = folder.number();
    let attached = Attached::find(pid, test, folder).map_err(|error| failed(&error))?;

    let address = Address { network, text: address };
    // One that is never ended by us may be anywhere.
    let listener = (!test).then_some(pid);
    let target = Target { address: address.clone(), rules, listener };
    let way = Way { target, security: security.clone(), advice: ours.advice() };
    let mut tasks = JoinSet::new();
    let (channel, mux) =
        channel::open(way, false, &mut tasks, deadline).await.map_err(|error| match error {
            DialError::Policy(problem) | DialError::Failed(problem) => failed(&problem),
        })?;
    let logs = Arc::new(Logs::new(launch.name.clone(), id, &launch.streams.logging));
    let shared = Arc::new(Shared::new(launch.name.clone(), id, Hold::Attached(attached), logs));
    // Its pipes belong to whoever started it.
    shared.stderr_read.cancel();
    let took = begun.elapsed();
    info!(plugin = launch.name, pid, ?took, "attached to a plugin");
    let parts = Parts {
        shared,
        tasks,
        channel,
        mux,
        handshake: Handshake::new(protocol_version, address, security.is_some(), took),
        security,
        sockets,
        stop_times: launch.stop_times,
        heartbeat: launch.heartbeat,
        max_message_bytes: launch.wire.max_message,
        host_services: host_socket.zip(launch.host_services),
        synced: launch.streams.synced,
    };
    Ok(parts.assemble())
}
