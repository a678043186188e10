//! From the parts that a start hands over to the handle that callers hold.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tonic::service::Routes;
use tonic::transport::Channel;
use wharf_peer::{Broker, Mux, Security, Sockets};

use super::host_services::{self, HostServices, PeerProcess};
use super::process::{Handshake, Inner, Process};
use super::shared::Shared;
use super::stop::StopTimes;
use super::{heartbeat, stdio};
use crate::error::Error;
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
    pub(crate) host_services: Option<Routes>,
    pub(crate) synced: Synced,
}

impl Parts {
    /// Takes over a process that answers, and starts what runs beside it.
    ///
    /// # Errors
    /// `config`: the socket of the host's services cannot be made.
    pub(crate) fn assemble(self) -> Result<Process, Error> {
        let Self { shared, mut tasks, channel, security, sockets, .. } = self;
        let folder = sockets.folder.clone();
        let mut host_address = None;
        if let Some(routes) = self.host_services {
            let path = folder.join(host_services::SOCKET);
            let listener = listen(&path, sockets.group).map_err(|source| {
                Error::config(format!("the socket {} cannot be made", path.display()), source)
            })?;
            host_address = Some(format!("unix://{}", path.display()));
            let services = HostServices { routes, security: security.clone() };
            let peer = PeerProcess { plugin: shared.name.clone(), instance: shared.id };
            tasks.spawn(host_services::serve(listener, services, peer));
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
        Ok(Process(Arc::new(Inner {
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
        })))
    }
}

fn listen(path: &Path, group: Option<u32>) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    if group.is_some() {
        std::os::unix::fs::chown(path, None, group)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o660))?;
    }
    Ok(listener)
}
