//! What a request says outside its body: names and numbers in the path, options in the query.

use axum::extract::{FromRequestParts, Query as AxumQuery, RawPathParams};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Failure;

/// The options of a request. Those it does not know, and those given twice, are refused.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        let read = AxumQuery::try_from_uri(&parts.uri);
        read.map(|AxumQuery(options)| Self(options)).map_err(|rejection| {
            let message = format!("the options after `?` are not right: {}", rejection.body_text());
            Failure::usage(StatusCode::UNPROCESSABLE_ENTITY, "usage.query", message)
        })
    }
}

/// An option that must lie between two numbers.
///
/// # Errors
/// 422, naming option and bounds (F144).
pub(super) fn within(name: &str, value: usize, most: usize) -> Result<usize, Failure> {
    if (1..=most).contains(&value) {
        return Ok(value);
    }
    let message = format!("`{name}` must be from 1 to {most}, not {value}");
    Err(Failure::usage(StatusCode::UNPROCESSABLE_ENTITY, "usage.query", message).at(name))
}

/// The decoded values of a route's placeholders, in order.
pub(super) struct Place<const N: usize>(pub(super) [String; N]);

impl<const N: usize, S: Send + Sync> FromRequestParts<S> for Place<N> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let bad = || {
            let message = "the address holds percent codes that are not UTF-8 text";
            Failure::usage(StatusCode::BAD_REQUEST, "usage.path", message)
        };
        let raw = RawPathParams::from_request_parts(parts, state).await.map_err(|_bad| bad())?;
        let values: Vec<String> = raw.iter().map(|(_, value)| value.to_owned()).collect();
        values.try_into().map(Self).map_err(|_values| bad())
    }
}

/// The number of something in the path.
pub(super) struct Number(pub(super) i64);

impl<S: Send + Sync> FromRequestParts<S> for Number {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Place([text]) = Place::from_request_parts(parts, state).await?;
        text.parse().map(Self).map_err(|_error| {
            let message = "its id is a whole number";
            Failure::usage(StatusCode::BAD_REQUEST, "usage.path", message).at(text)
        })
    }
}

/// The number of a job in the path.
pub(super) struct JobNumber(pub(super) i64);

impl<S: Send + Sync> FromRequestParts<S> for JobNumber {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Place([text]) = Place::from_request_parts(parts, state).await?;
        text.parse().map(Self).map_err(|_error| {
            let message = "a job's id is a whole number";
            Failure::usage(StatusCode::BAD_REQUEST, "usage.path", message).at(text)
        })
    }
}
