//! The main connection: a socket of its own, or the first stream of a multiplexed one. It is made at
//! once, so that errors of socket and TLS come at start; that it does not speak HTTP/2 shows with the
//! first call, which is part of the start too. Later ones are made by the channel as needed, in the
//! same way.

use std::io;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tonic::transport::Channel;
use wharf_peer::{Connection, Mux, Security};

use super::dial::{DialError, Target};
use crate::text::root;

/// For a connection that is made anew in mid-life.
const RECONNECT: Duration = Duration::from_secs(5);

/// The way to the plugin's main server.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) target: Target,
    /// `None`: in clear.
    pub(crate) security: Option<Security>,
    /// What to do when the TLS handshake fails.
    pub(crate) advice: &'static str,
}

/// Dials, shakes hands and opens the channel, by `deadline`. With `multiplex` the one socket carries
/// everything from now on, driven by one of `tasks`.
pub(crate) async fn open(
    way: Way,
    multiplex: bool,
    tasks: &mut JoinSet<()>,
    deadline: Instant,
) -> Result<(Channel, Option<Mux>), DialError> {
    let socket = way.target.dial(deadline).await?;
    let (first, mux) = if multiplex {
        let (mux, session) = Mux::client(socket);
        tasks.spawn(session);
        let stream = mux.open().await.map_err(|error| failed(&error))?;
        (stream, Some(mux))
    } else {
        (socket, None)
    };
    let first = match timeout_at(deadline, first.into_client(way.security.as_ref())).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => {
            let problem = format!("the TLS handshake failed: {error}; {}", way.advice);
            return Err(DialError::Failed(problem));
        }
        Err(_elapsed) => {
            let problem = "it did not answer the TLS handshake within the start timeout";
            return Err(DialError::Failed(problem.to_owned()));
        }
    };
    let (stream_of, advice) = (mux.clone(), way.advice);
    let again = move || reconnect(way.clone(), stream_of.clone());
    match wharf_peer::channel(first, again).await {
        Ok(channel) => Ok((channel, mux)),
        // F31
        Err(error) => {
            let problem = format!("it does not speak HTTP/2: {}; {advice}", root(&error));
            Err(DialError::Failed(problem))
        }
    }
}

async fn reconnect(way: Way, mux: Option<Mux>) -> io::Result<Connection> {
    let deadline = Instant::now() + RECONNECT;
    let made = async {
        let connection = match mux {
            Some(mux) => mux.open().await?,
            None => way.target.dial(deadline).await.map_err(|error| match error {
                DialError::Policy(problem) | DialError::Failed(problem) => {
                    io::Error::other(problem)
                }
            })?,
        };
        connection.into_client(way.security.as_ref()).await
    };
    timeout_at(deadline, made).await?
}

fn failed(error: &io::Error) -> DialError {
    DialError::Failed(format!("its multiplexed socket failed: {error}"))
}
