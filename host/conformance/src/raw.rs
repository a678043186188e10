//! Calls whose messages are bytes: requests with fields that no generated code knows, and calls that nobody defines.

use bytes::{Buf as _, BufMut as _, Bytes};
use prost::encoding::{WireType, encode_key, encode_varint};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

/// A field that no version of the contract has.
const UNKNOWN_NUMBER: u32 = 15_000;
const UNKNOWN_TEXT: u32 = 15_001;

/// The same message with fields of a later version of the contract.
pub(crate) fn with_unknown_fields(mut message: Vec<u8>) -> Bytes {
    encode_key(UNKNOWN_NUMBER, WireType::Varint, &mut message);
    encode_varint(7, &mut message);
    encode_key(UNKNOWN_TEXT, WireType::LengthDelimited, &mut message);
    let text = b"from a later version";
    encode_varint(u64::try_from(text.len()).unwrap_or(0), &mut message);
    message.extend_from_slice(text);
    message.into()
}

/// A call that answers once.
pub(crate) async fn unary(
    channel: Channel,
    path: &'static str,
    message: Bytes,
) -> Result<Bytes, Status> {
    let mut client = ready(channel).await?;
    let answer = client.unary(Request::new(message), PathAndQuery::from_static(path), Raw).await;
    answer.map(Response::into_inner)
}

/// A call that answers with a stream.
pub(crate) async fn stream(
    channel: Channel,
    path: PathAndQuery,
    message: Bytes,
) -> Result<Streaming<Bytes>, Status> {
    let mut client = ready(channel).await?;
    let answer = client.server_streaming(Request::new(message), path, Raw).await;
    answer.map(Response::into_inner)
}

async fn ready(channel: Channel) -> Result<Grpc<Channel>, Status> {
    let mut client = Grpc::new(channel);
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    Ok(client)
}

/// Bytes as they are.
#[derive(Clone, Copy, Debug, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
