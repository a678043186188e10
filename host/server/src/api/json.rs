//! Request bodies: JSON, read strictly and within bounds.
//!
//! What readers usually let pass in silence is refused here, with the place at which it stands:
//! a key that is there twice, an unknown field, a list where an object belongs (F143). Numbers
//! beyond the machine's and nesting beyond 128 levels are refused by the reader itself.

use std::fmt;
use std::time::Duration;

use axum::extract::{FromRequest, Request};
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Number, Value};

use super::problem::Failure;

/// The largest request body, in bytes.
pub(crate) const MAX_BODY: usize = 1024 * 1024;
/// How long a request body may take to arrive (F142).
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The JSON object of a request; no body at all means `{}`.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        let (head, body) = request.into_parts();
        let reading = Limited::new(body, MAX_BODY).collect();
        let bytes = match tokio::time::timeout(BODY_TIMEOUT, reading).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
            Ok(Err(error)) => {
                let message = format!("the request body broke off: {error}");
                return Err(Failure::usage(StatusCode::BAD_REQUEST, "usage.body", message));
            }
            Err(_elapsed) => return Err(too_slow()),
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return parse(b"{}").map(Self);
        }
        declared_json(&head.headers)?;
        parse(&bytes).map(Self)
    }
}

fn too_large() -> Failure {
    let message = format!("the request body is larger than {MAX_BODY} bytes");
    Failure::usage(StatusCode::PAYLOAD_TOO_LARGE, "limit.body", message)
}

fn too_slow() -> Failure {
    let message = format!("the request body took longer than {} s", BODY_TIMEOUT.as_secs());
    Failure::usage(StatusCode::REQUEST_TIMEOUT, "limit.time", message)
}

/// A page of another origin can send forms and plain text without asking, but no JSON.
fn declared_json(headers: &HeaderMap) -> Result<(), Failure> {
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = declared.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = "a request body must be declared as `Content-Type: application/json`";
    Err(Failure::usage(StatusCode::UNSUPPORTED_MEDIA_TYPE, "usage.media_type", message))
}

/// Reads one object.
///
/// # Errors
/// 400: not JSON. 422: JSON of the wrong shape. Both name the place.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        refused(StatusCode::BAD_REQUEST, &error.path().to_string(), error.inner())
    })?;
    reader.end().map_err(|error| refused(StatusCode::BAD_REQUEST, ".", &error))?;
    let Strict(value) = value;
    if !value.is_object() {
        let message = "the request body must be a JSON object";
        return Err(Failure::usage(StatusCode::UNPROCESSABLE_ENTITY, "usage.json", message).at("."));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        refused(StatusCode::UNPROCESSABLE_ENTITY, &error.path().to_string(), error.inner())
    })
}

fn refused(status: StatusCode, path: &str, error: &serde_json::Error) -> Failure {
    // A question mark is a place whose name was not read yet.
    let path = path.trim_end_matches('?').trim_end_matches('.');
    let path = if path.is_empty() { "." } else { path };
    let message = if path == "." {
        format!("the request body is not right: {error}")
    } else {
        format!("the request body is not right at `{path}`: {error}")
    };
    Failure::usage(status, "usage.json", message).at(path)
}

/// Any JSON value without doubled keys.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(value)) = access.next_element()? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Strict(value))) = access.next_entry::<String, Strict>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key {key:?} is there twice")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::super::types::{CreateRepository, ProblemDocument, PutAttachment, SyncRequest};
    use super::*;

    fn refusal<T: DeserializeOwned + fmt::Debug>(body: &str) -> (u16, String, String) {
        let response = parse::<T>(body.as_bytes()).unwrap_err().response();
        let document: ProblemDocument = serde_json::from_slice(response.body()).unwrap();
        (document.status, document.problem.at.unwrap_or_default(), document.problem.message)
    }

    #[test]
    fn a_good_body_is_read() {
        let read: CreateRepository = parse(br#"{"name": "a", "types": ["file"]}"#).unwrap();
        assert_eq!(read.types, ["file"]);
        let read: PutAttachment =
            parse(br#"{"settings": {"a": [1, -1, 1.5, null, true]}}"#).unwrap();
        assert_eq!(read.settings["a"], serde_json::json!([1, -1, 1.5, null, true]));
        assert!(!parse::<SyncRequest>(b"{}").unwrap().full);
    }

    // F143
    #[test]
    fn a_bad_body_is_refused_with_its_place() {
        let check = |body: &str, status: u16, at: &str, says: &str| {
            let (found, place, message) = refusal::<PutAttachment>(body);
            assert_eq!((found, place.as_str()), (status, at), "{body}: {message}");
            assert!(message.contains(says), "{body}: {message}");
        };
        check("{", 400, ".", "EOF");
        check("{} {}", 400, ".", "trailing");
        check(r#"{"settings": {"a": 1, "a": 2}}"#, 400, "settings", "\"a\" is there twice");
        check(r#"{"settings": {"a": [{"b": 1, "b": 1}]}}"#, 400, "settings.a[0]", "twice");
        check(r#"{"settings": {}, "settings": {}}"#, 400, ".", "twice");
        check(r#"{"settings": {"a": 1e999}}"#, 400, "settings.a", "out of range");
        check(r#"{"settings": []}"#, 422, "settings", "invalid type");
        check(r#"{"setings": {}}"#, 422, "setings", "unknown field");
        check("[{}]", 422, ".", "object");
        check("null", 422, ".", "object");
        let (status, _, message) = refusal::<PutAttachment>(&"[".repeat(1000));
        assert_eq!(status, 400);
        assert!(message.contains("recursion limit"), "{message}");
        let (status, at, _) = refusal::<CreateRepository>(r#"{"name": "a", "types": [1]}"#);
        assert_eq!((status, at.as_str()), (422, "types[0]"));
        let (status, _, message) = refusal::<CreateRepository>("{}");
        assert_eq!(status, 422);
        assert!(message.contains("`name`"), "{message}");
    }
}
