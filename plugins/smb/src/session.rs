//! The connection to a share: one for the process, over which everything goes, many requests at a time.
//!
//! A listing asks the host for the password and connects anew where it is another one; what comes after it uses what is
//! open. A connection that broke is left behind and made again by whoever needs it next, one at a time, so a server that
//! is gone is asked once and not by every file that waits.

use std::sync::Arc;
use std::time::Duration;

use smb2::client::Connection;
use smb2::{ClientConfig, SmbClient, Tree};
use tokio::net::lookup_host;
use tokio::sync::Mutex;
use tokio::time::timeout;
use wharf_sdk::{Context, Error};

use crate::failure;
use crate::settings::Server;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may stay silent while it is asked something: disks that sleep take their time.
const ANSWER: Duration = Duration::from_secs(30);

/// A share that is connected. A clone is the same connection.
#[derive(Clone)]
pub(crate) struct Share {
    pub(crate) tree: Arc<Tree>,
    pub(crate) connection: Connection,
    /// The connection lives as long as it does.
    _client: Arc<SmbClient>,
}

/// What is open.
struct Open {
    server: Server,
    password: String,
    share: Share,
}

/// The connection of the process.
#[derive(Default)]
pub(crate) struct Session {
    open: Mutex<Option<Open>>,
}

impl Session {
    /// The share, with the password that counts now.
    pub(crate) async fn begin(&self, server: &Server, context: &Context) -> Result<Share, Error> {
        let password = password(server, context).await?;
        let mut open = self.open.lock().await;
        let fits = |open: &Open| open.fits(server) && open.password == password;
        if let Some(open) = open.as_ref().filter(|open| fits(open)) {
            return Ok(open.share.clone());
        }
        *open = None;
        connect(&mut open, server, password).await
    }

    /// The share, as it is open.
    pub(crate) async fn share(&self, server: &Server, context: &Context) -> Result<Share, Error> {
        let mut open = self.open.lock().await;
        if let Some(open) = open.as_ref().filter(|open| open.fits(server)) {
            return Ok(open.share.clone());
        }
        *open = None;
        let password = password(server, context).await?;
        connect(&mut open, server, password).await
    }
}

impl Open {
    fn fits(&self, server: &Server) -> bool {
        self.server == *server && !self.share.connection.is_disconnected()
    }
}

async fn password(server: &Server, context: &Context) -> Result<String, Error> {
    let Some(secret) = &server.password else { return Ok(String::new()) };
    let bytes = context.secret(secret.name()).await?;
    String::from_utf8(bytes.to_vec()).map_err(|_bytes| {
        let message = format!("the secret {} is no text, so it is no password", secret.name());
        Error::usage("usage.credentials", message).at_field("/password")
    })
}

async fn connect(
    open: &mut Option<Open>,
    server: &Server,
    password: String,
) -> Result<Share, Error> {
    let address = server.address();
    match timeout(CONNECT, lookup_host(address.as_str())).await {
        Ok(Ok(_addresses)) => {}
        Ok(Err(error)) => return Err(failure::name(server, &error.to_string())),
        Err(_elapsed) => return Err(failure::name(server, "the name service does not answer")),
    }
    let config = ClientConfig {
        addr: address,
        timeout: CONNECT,
        response_timeout: Some(ANSWER),
        username: server.username.clone(),
        password: password.clone(),
        domain: server.domain.clone(),
        // What a half of a file is worth is for `fetch` to say.
        auto_reconnect: false,
        // It costs more than it saves on networks where shares are.
        compression: false,
        ..ClientConfig::default()
    };
    let connecting = SmbClient::connect(config).await;
    let mut client = connecting.map_err(|error| failure::connecting(server, &error))?;
    let session = client.session();
    if !session.should_sign && !session.should_encrypt && !server.takes_unsigned() {
        return Err(failure::unsigned(server));
    }
    let tree = client.connect_share(&server.share).await;
    let tree = tree.map_err(|error| failure::share(server, &error))?;
    let connection = client.connection_for(&tree);
    let connection = connection.map_err(|error| failure::connecting(server, &error))?;
    let share = Share { tree: Arc::new(tree), connection, _client: Arc::new(client) };
    *open = Some(Open { server: server.clone(), password, share: share.clone() });
    Ok(share)
}
