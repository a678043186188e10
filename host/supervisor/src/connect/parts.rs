//! From the parts that a start hands over to the handle that callers hold.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tonic::service::Routes;
use tonic::transport::Channel;
use wharf_peer::{Broker, Mux, Security, Sockets};

use super::host_services::{self, HostServices, HostSocket, PeerProcess};
use super::process::{Handshake, Inner, Process};
use super::shared::Shared;
use super::stop::StopTimes;
use super::{heartbeat, stdio};
use crate::launch::Synced;

/// What a start hands over to the handle.
pub(crate) struct Parts {
    pub(crate) shared: Arc<Shared>,
    pub(crate) tasks: JoinSet<()>,
    pub(crate) channel: Channel,
    pub(crate) mux: Option<Mux>,
    pub(crate) security: Option<Security>,
    /// Where the host's own sockets for this plugin are made.
    pub(crate) sockets: Sockets,
    pub(crate) handshake: Handshake,
    pub(crate) stop_times: StopTimes,
    pub(crate) heartbeat: Option<(Duration, Duration)>,
    pub(crate) max_message_bytes: usize,
    pub(crate) host_services: Option<(HostSocket, Routes)>,
    pub(crate) synced: Synced,
}

impl Parts {
    /// Takes over a process that answers, and starts what runs beside it.
    pub(crate) fn assemble(self) -> Process {
        let Self { shared, mut tasks, channel, security, sockets, .. } = self;
        let folder = sockets.folder.clone();
        let mut host_address = None;
        if let Some((socket, routes)) = self.host_services {
            host_address = Some(socket.address());
            let services = HostServices { routes, security: security.clone() };
            let peer = PeerProcess { plugin: shared.name.clone(), instance: shared.id };
            tasks.spawn(host_services::serve(socket, services, peer));
        }
        // Both calls may be without an answer for as long as the plugin lives (go-plugin's servers
        // send headers with their first message): nobody waits for them.
        let (broker, stream) = Broker::new(sockets, security, self.mux);
        let broker_task = tasks.spawn(stream.run(channel.clone()));
        tasks.spawn(stdio::drain(channel.clone(), Arc::clone(&shared), self.synced));
        if let Some((every, patience)) = self.heartbeat {
            let beat = heartbeat::beat(Arc::clone(&shared), channel.clone(), every, patience);
            tasks.spawn(beat);
        }
        Process(Arc::new(Inner {
            shared,
            channel,
            handshake: self.handshake,
            folder,
            host_address,
            broker,
            broker_task,
            max_message_bytes: self.max_message_bytes,
            stop_times: self.stop_times,
            stopped: OnceCell::new(),
            tasks: Mutex::new(tasks),
        }))
    }
}
