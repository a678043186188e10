//! Where host and plugin meet: the private folder, and what the host puts into it before anybody
//! else may.

use std::io;
use std::sync::Arc;

use wharf_peer::Sockets;

use super::Launch;
use super::folder::PluginFolder;
use crate::connect::HostSocket;
use crate::connect::rules::Rules;
use crate::error::Error;

/// Everything that is there before the process is.
pub(super) struct Place {
    pub(super) folder: PluginFolder,
    /// How the host's own sockets for this plugin are made.
    pub(super) sockets: Sockets,
    pub(super) rules: Arc<Rules>,
    /// `None`: the host offers no services.
    pub(super) host_socket: Option<HostSocket>,
}

impl Place {
    pub(super) async fn make(launch: &Launch) -> Result<Self, Error> {
        let group = launch.wire.group_number()?;
        let folder = private_folder(launch).await?;
        // The plugin is not there yet, and the group has no access yet: nobody can be in the way.
        let host_socket = match &launch.host_services {
            Some(_) => Some(HostSocket::bind(folder.path(), group)?),
            None => None,
        };
        if let Some(group) = group {
            folder.share(group)?;
        }
        let rules = Arc::new(Rules {
            policy: launch.wire.policy,
            folder: folder.path().to_owned(),
            runner: launch.runner.clone(),
        });
        let sockets = Sockets {
            network: launch.wire.network,
            folder: folder.path().to_owned(),
            group,
            ports: launch.wire.ports,
            addresses: Some(Arc::clone(&rules) as _),
        };
        Ok(Self { folder, sockets, rules, host_socket })
    }
}

/// What dead hosts left behind may take its time to remove.
async fn private_folder(launch: &Launch) -> Result<PluginFolder, Error> {
    if let Some(host) = launch.host_folder.clone() {
        return PluginFolder::inside(host);
    }
    let (parent, outlives) = (launch.runtime_dir.clone(), launch.runner.is_some());
    let making = move || PluginFolder::create(&parent, outlives);
    let made = tokio::task::spawn_blocking(making).await;
    made.unwrap_or_else(|error| {
        Err(Error::config("the private folder was not made", io::Error::other(error)))
    })
}
