//! What wharf's host asks of any plugin here.

use std::time::Duration;

use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::Channel;
use wharf_supervisor::{Broker, Process};

use crate::service::{echo_through, routes};
use crate::v1::peer_client::PeerClient;
use crate::v1::{About, Call, Data, Line, Nothing, Number, Output, Plan, Size, Text};

/// What came of a call.
pub type Outcome<T = ()> = Result<T, Status>;

/// No call here takes longer.
const DEADLINE: Duration = Duration::from_secs(20);
const LIMIT: usize = 80 << 20;

/// Calls to a plugin of these tests.
#[derive(Clone, Debug)]
pub struct Calls {
    client: PeerClient<Channel>,
    broker: Broker,
}

impl Calls {
    /// Through the connection and the broker of a running plugin.
    pub fn new(process: &Process) -> Self {
        let client = PeerClient::new(process.channel()).max_decoding_message_size(LIMIT);
        Self { client, broker: process.broker().clone() }
    }

    /// The generated client.
    pub fn client(&self) -> PeerClient<Channel> {
        self.client.clone()
    }

    /// A unary call.
    pub async fn echo(&self) -> Outcome {
        let answer = within(self.client().echo(Data { data: b"hello".to_vec() })).await?;
        same(&answer.into_inner().data, b"hello")
    }

    /// A bidirectional stream of six numbers, each answered before the next is sent.
    pub async fn sum(&self) -> Outcome {
        let (sender, numbers) = tokio::sync::mpsc::channel(1);
        let mut client = self.client();
        let asking = client.sum(ReceiverStream::new(numbers));
        let first = sender.send(Number { value: 1 });
        // A Go server sends its headers with its first message.
        let (answers, sent) = tokio::join!(within(asking), first);
        sent.map_err(|_gone| Status::internal("nobody takes numbers"))?;
        let mut answers = answers?.into_inner();
        let mut sum = 0;
        for value in 1..=6 {
            if value > 1 {
                let sent = sender.send(Number { value }).await;
                sent.map_err(|_gone| Status::internal("nobody takes numbers"))?;
            }
            sum += value;
            let answer = within(answers.message()).await?.map(|number| number.value);
            if answer != Some(sum) {
                return Err(Status::internal(format!("{answer:?} instead of {sum}")));
            }
        }
        drop(sender);
        match within(answers.message()).await? {
            None => Ok(()),
            Some(more) => Err(Status::internal(format!("no end, but {more:?}"))),
        }
    }

    /// A stream of `count` messages of `bytes` bytes.
    pub async fn flow(&self, count: u32, bytes: u64) -> Outcome {
        let plan = Plan { count, bytes, pause_ms: 0 };
        let mut messages = within(self.client().flow(plan)).await?.into_inner();
        let mut came = 0;
        while let Some(message) = within(messages.message()).await? {
            if message.data.len() as u64 != bytes {
                return Err(Status::internal(format!("{} bytes", message.data.len())));
            }
            came += 1;
        }
        if came == count { Ok(()) } else { Err(Status::internal(format!("{came} messages"))) }
    }

    /// An answer of `bytes` bytes.
    pub async fn make(&self, bytes: u64) -> Outcome {
        let answer = within(self.client().make(Size { bytes })).await?.into_inner();
        if answer.data.len() as u64 == bytes {
            Ok(())
        } else {
            Err(Status::internal(format!("{} bytes", answer.data.len())))
        }
    }

    /// A request of `bytes` bytes.
    pub async fn measure(&self, bytes: usize) -> Outcome<u64> {
        let answer = within(self.client().measure(Data { data: vec![0; bytes] })).await?;
        Ok(answer.into_inner().bytes)
    }

    /// This side accepts, the plugin dials.
    pub async fn call_back(&self) -> Outcome {
        let id = self.broker.next_id();
        let serving = self.broker.serve(id, routes()).await;
        let serving = serving.map_err(|error| Status::unavailable(error.to_string()))?;
        let text = format!("callback {id}");
        let call = Call { id, text: text.clone() };
        let answer = within(self.client().call_back(call)).await?;
        serving.stop().await;
        same(answer.into_inner().text.as_bytes(), text.as_bytes())
    }

    /// The plugin accepts, this side dials.
    pub async fn offer(&self) -> Outcome {
        let id = within(self.client().offer(Nothing {})).await?.into_inner().id;
        let answer = echo_through(&self.broker, id, "offered").await?;
        same(answer.as_bytes(), b"offered")
    }

    /// What the plugin knows about itself and this connection.
    pub async fn tell(&self) -> Outcome<About> {
        within(self.client().tell(Nothing {})).await.map(tonic::Response::into_inner)
    }

    /// Lets it print, so often.
    pub async fn print(&self, stdout: &[u8], stderr: &[u8], times: u32) -> Outcome {
        let output = Output { stdout: stdout.to_vec(), stderr: stderr.to_vec(), times };
        within(self.client().print(output)).await.map(drop)
    }

    /// Lets it log a line.
    pub async fn log(&self, level: &str, message: &str, fields: &[(&str, &str)]) -> Outcome {
        let fields = fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let line =
            Line { level: level.to_owned(), message: message.to_owned(), fields: fields.collect() };
        within(self.client().log(line)).await.map(drop)
    }

    /// A call that ends only with the plugin.
    pub async fn hang(&self) -> Outcome {
        within(self.client().hang(Nothing {})).await.map(drop)
    }

    /// Lets it crash.
    pub async fn panic(&self, text: &str) -> Outcome {
        within(self.client().panic(Text { text: text.to_owned() })).await.map(drop)
    }
}

fn same(one: &[u8], other: &[u8]) -> Outcome {
    if one == other {
        return Ok(());
    }
    Err(Status::internal(format!("another answer: {:?}", String::from_utf8_lossy(one))))
}

async fn within<T>(call: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let late = |_elapsed| Err(Status::deadline_exceeded("no answer in time"));
    timeout(DEADLINE, call).await.unwrap_or_else(late)
}
