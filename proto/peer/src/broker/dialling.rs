//! From a number to a channel: over the announced socket, or by a knock and a stream of the multiplexed one.

use std::io;
use std::sync::{Arc, PoisonError};

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};
use tonic::transport::Channel;

use super::{BrokerError, Knocking, Shared, WINDOW, knock};
use crate::connection::Connection;
use crate::dial::{DialError, DialRules, dial as dial_address};
use crate::listen::Address;
use crate::mux::{Mux, Turn};

pub(super) async fn dial(shared: &Arc<Shared>, id: u32) -> Result<Channel, BrokerError> {
    let failed = |source| BrokerError::Connect { id, source };
    if let Some(mux) = &shared.mux {
        let first = shared.dial_mux(mux, id).await?;
        let (shared, mux) = (Arc::clone(shared), mux.clone());
        let again = move || {
            let (shared, mux) = (Arc::clone(&shared), mux.clone());
            async move { shared.dial_mux(&mux, id).await.map_err(io::Error::other) }
        };
        return open(first, again).await.map_err(failed);
    }
    let address = shared.announced(id).await?;
    let first = shared.connect(id, &address).await?;
    let shared = Arc::clone(shared);
    let again = move || {
        let (shared, address) = (Arc::clone(&shared), address.clone());
        async move { shared.connect(id, &address).await.map_err(io::Error::other) }
    };
    open(first, again).await.map_err(failed)
}

async fn open<F, C>(first: Connection, again: F) -> io::Result<Channel>
where
    F: Fn() -> C + Clone + Send + Sync + 'static,
    C: Future<Output = io::Result<Connection>> + Send + 'static,
{
    in_time(async { crate::channel(first, again).await.map_err(io::Error::other) }).await
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(WINDOW, work).await.unwrap_or_else(|_elapsed| {
        Err(io::Error::new(io::ErrorKind::TimedOut, "the other side does not shake hands"))
    })
}

impl Shared {
    /// What the other side says about `id`, in its words made ours.
    async fn announced(&self, id: u32) -> Result<Address, BrokerError> {
        let told = tokio::select! {
            biased;
            () = self.closed.cancelled() => return Err(BrokerError::Closed),
            told = timeout(WINDOW, self.slots.take(id)) => told,
        };
        let address = told.map_err(|_elapsed| BrokerError::Timeout { id })?;
        let Some(rules) = &self.sockets.addresses else { return Ok(address) };
        rules.announced(address).map_err(|reason| BrokerError::Refused { id, reason })
    }

    async fn connect(&self, id: u32, address: &Address) -> Result<Connection, BrokerError> {
        let connected = async {
            let rules = self.sockets.addresses.as_deref().map(|rules| rules as &dyn DialRules);
            let socket = match dial_address(address, rules).await {
                Ok(socket) => socket,
                Err(DialError::Refused(reason)) => return Ok(Err(reason)),
                Err(DialError::Failed(error)) => return Err(error),
            };
            socket.into_client(self.security.as_ref()).await.map(Ok)
        };
        let connected = in_time(connected).await;
        let connected = connected.map_err(|source| BrokerError::Connect { id, source })?;
        connected.map_err(|reason| BrokerError::Refused { id, reason })
    }

    /// # Cancel safety
    /// Once the knock is sent, the session takes it to its end: whoever accepts waits for a stream, and would take
    /// the next one, whomever it is meant for.
    async fn dial_mux(self: &Arc<Self>, mux: &Mux, id: u32) -> Result<Connection, BrokerError> {
        let turn = tokio::select! {
            biased;
            () = self.closed.cancelled() => return Err(BrokerError::Closed),
            turn = timeout(WINDOW, mux.turn()) => turn,
        };
        let turn = turn.map_err(|_elapsed| BrokerError::Timeout { id })?;
        let (done, opened) = oneshot::channel();
        let (shared, own) = (Arc::clone(self), mux.clone());
        let job = async move {
            // If nobody waits for it any more, the stream is closed again.
            done.send(shared.knock_and_open(&own, id, turn).await).ok();
        };
        mux.run(job).await.map_err(|_gone| BrokerError::Closed)?;
        let stream = opened.await.map_err(|_gone| BrokerError::Closed)??;
        let greeted = in_time(stream.into_client(self.security.as_ref())).await;
        greeted.map_err(|source| BrokerError::Connect { id, source })
    }

    async fn knock_and_open(
        &self,
        mux: &Mux,
        id: u32,
        turn: Turn,
    ) -> Result<Connection, BrokerError> {
        let failed = |source| BrokerError::Connect { id, source };
        in_time(mux.settle(mux.owed())).await.map_err(failed)?;
        let owed = self.knock(id).await?;
        let opened = async {
            mux.settle(owed).await?;
            mux.open_in(turn).await
        };
        in_time(opened).await.map_err(failed)
    }

    /// Asks whether `id` is accepted. Only the holder of the turn may do so. What is owed at the time of the answer
    /// must be settled before the stream is opened.
    async fn knock(&self, id: u32) -> Result<usize, BrokerError> {
        let deadline = Instant::now() + WINDOW;
        let (answered, answer) = oneshot::channel();
        *self.knocking.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Knocking { id, answered });
        self.send(id, knock(id, false, String::new()), deadline).await?;
        let answer = tokio::select! {
            biased;
            () = self.closed.cancelled() => return Err(BrokerError::Closed),
            answer = timeout_at(deadline, answer) => answer,
        };
        match answer {
            Ok(Ok(Ok(owed))) => Ok(owed),
            Ok(Ok(Err(reason))) => Err(BrokerError::Refused { id, reason }),
            Ok(Err(_gone)) => Err(BrokerError::Closed),
            Err(_elapsed) => Err(BrokerError::Timeout { id }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use tokio::io::AsyncReadExt as _;
    use tokio::net::UnixStream;
    use tokio::sync::mpsc;
    use tokio::task::JoinSet;
    use tokio::time::{advance, sleep};
    use tokio_stream::StreamExt as _;
    use wharf_proto::handshake::Network;

    use super::super::{Broker, BrokerStream};
    use super::*;
    use crate::listen::{Addresses, Sockets};
    use crate::mux::Registration;

    type Dialled = Result<Channel, BrokerError>;

    /// A broker whose other side is played by the test.
    struct World {
        broker: Broker,
        stream: BrokerStream,
        near: Mux,
        far: Mux,
        tasks: JoinSet<()>,
        dials: JoinSet<Dialled>,
    }

    impl World {
        fn new() -> Self {
            let (near, far) = UnixStream::pair().unwrap();
            let mut tasks = JoinSet::new();
            let (near, session) = Mux::client(near.into());
            tasks.spawn(session);
            let (far, session) = Mux::server(far.into());
            tasks.spawn(session);
            let (network, folder) = (Network::Unix, std::env::temp_dir());
            let sockets = Sockets { network, folder, group: None, ports: (0, 0), addresses: None };
            let (broker, stream) = Broker::new(sockets, None, Some(near.clone()));
            Self { broker, stream, near, far, tasks, dials: JoinSet::new() }
        }

        fn dial(&mut self, id: u32) {
            let broker = self.broker.clone();
            self.dials.spawn(async move { broker.dial(id).await });
        }

        async fn dialled(&mut self) -> Dialled {
            soon(self.dials.join_next()).await.unwrap().unwrap()
        }

        async fn knocked(&mut self, id: u32) {
            let message = soon(self.stream.outgoing.recv()).await.unwrap();
            assert_eq!(message, knock(id, false, String::new()));
        }

        /// The other side says yes.
        fn answer(&self, id: u32) {
            assert!(self.far.knock(id));
            self.broker.0.received(knock(id, true, String::new()));
        }

        fn accept(&self, id: u32) -> (mpsc::Receiver<Connection>, Registration) {
            self.far.accept(id).unwrap()
        }
    }

    async fn soon<T>(what: impl Future<Output = T>) -> T {
        timeout(4 * WINDOW, what).await.expect("it hangs")
    }

    /// Whether something comes through the next stream.
    async fn is_used(queue: &mut mpsc::Receiver<Connection>) -> bool {
        let mut stream = soon(queue.recv()).await.unwrap();
        soon(stream.read(&mut [0])).await.unwrap() == 1
    }

    // P41, H81
    #[tokio::test]
    async fn a_dial_that_is_given_up_takes_no_stream_from_the_next() {
        for answered_before in [true, false] {
            let mut world = World::new();
            let ((mut one, _one), (mut two, _two)) = (world.accept(1), world.accept(2));
            world.dial(1);
            world.knocked(1).await;
            if answered_before {
                world.answer(1);
            }
            world.dials.shutdown().await;
            world.dial(2);
            if !answered_before {
                world.answer(1);
            }
            world.knocked(2).await;
            world.answer(2);
            let _channel = world.dialled().await.unwrap();
            assert!(!is_used(&mut one).await, "{answered_before}");
            assert!(is_used(&mut two).await, "{answered_before}");
            assert_eq!(world.tasks.len(), 2);
        }
    }

    // P41, H81
    #[tokio::test(start_paused = true)]
    async fn a_late_answer_takes_no_stream_from_the_next() {
        let mut world = World::new();
        let ((mut one, _one), (mut two, _two)) = (world.accept(1), world.accept(2));
        world.dial(1);
        world.knocked(1).await;
        let given_up = world.dialled().await;
        assert!(matches!(given_up, Err(BrokerError::Timeout { id: 1 })), "{given_up:?}");
        world.answer(1);
        let main = world.near.open().await.unwrap();
        assert!(!is_used(&mut one).await);
        assert!(world.far.main(None).next().await.is_some());
        drop(main);

        world.dial(1);
        world.knocked(1).await;
        assert!(world.dialled().await.is_err());
        world.dial(2);
        world.knocked(2).await;
        world.answer(1);
        world.answer(2);
        let _channel = world.dialled().await.unwrap();
        assert!(!is_used(&mut one).await);
        assert!(is_used(&mut two).await);
    }

    // H81
    #[tokio::test(start_paused = true)]
    async fn a_knock_has_its_full_time_however_late_its_turn_came() {
        let mut world = World::new();
        let (_queue, _registration) = world.accept(1);
        let turn = world.near.turn().await;
        world.dial(1);
        sleep(Duration::from_millis(4_900)).await;
        drop(turn);
        world.knocked(1).await;
        advance(Duration::from_millis(4_900)).await;
        world.answer(1);
        world.dialled().await.unwrap();
    }

    // X6
    #[tokio::test]
    async fn answers_that_nobody_asked_for_cost_a_few_streams() {
        let mut world = World::new();
        for id in 0..10_000 {
            world.broker.0.received(knock(id, true, String::new()));
        }
        assert!((1..=16).contains(&world.near.owed()));
        let (_queue, _registration) = world.accept(3);
        world.dial(3);
        world.knocked(3).await;
        world.answer(3);
        world.dialled().await.unwrap();
        assert_eq!(world.near.owed(), 0);
    }

    /// Nobody may be spoken to.
    struct Nobody;

    impl DialRules for Nobody {
        fn check(&self, _: &Address) -> Result<io::Result<()>, String> {
            Ok(Ok(()))
        }

        fn check_resolved(&self, _: &[SocketAddr]) -> Result<(), String> {
            Err("not this name".to_owned())
        }

        fn check_listener(&self, _: u32, _: Option<u32>) -> Result<(), String> {
            Err("not this user".to_owned())
        }
    }

    impl Addresses for Nobody {
        fn announcing(&self, address: Address) -> Result<Address, String> {
            Ok(address)
        }

        fn announced(&self, address: Address) -> Result<Address, String> {
            Ok(address)
        }
    }

    // F18, F22
    #[tokio::test]
    async fn an_announced_address_is_dialled_by_the_rules() {
        let folder = tempfile::tempdir().unwrap();
        let addresses: Option<Arc<dyn Addresses>> = Some(Arc::new(Nobody));
        let (network, path) = (Network::Unix, folder.path().join("s"));
        let folder = folder.path().to_owned();
        let sockets = Sockets { network, folder, group: None, ports: (0, 0), addresses };
        let (broker, _stream) = Broker::new(sockets, None, None);
        let _listener = tokio::net::UnixListener::bind(&path).unwrap();
        broker.0.slots.put(1, "unix", path.display().to_string());
        broker.0.slots.put(2, "tcp", "localhost:1".to_owned());
        for (id, why) in [(1, "not this user"), (2, "not this name")] {
            let dialled = broker.dial(id).await;
            let Err(BrokerError::Refused { reason, .. }) = dialled else { panic!("{dialled:?}") };
            assert_eq!(reason, why);
        }
    }
}
