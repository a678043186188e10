//! The OpenAPI document of the API, version 3.1.
//!
//! Handlers declare route and description in one place, [`super::described`] gathers them, and here is added what
//! holds for every operation: what stands in a path, how refusals look, which bodies may be left out. Nothing of it is
//! written twice, so document and routes cannot disagree. It is made when somebody asks for it.
//!
//! `host/server/openapi.json` is the same text, for readers and for programs that make clients; a test fails when it is
//! stale.

use axum::response::{IntoResponse as _, Response};
use http::header;
use serde_json::Value;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, Content, Info, OpenApi, PathItem, Ref, RefOr, Required, Response as Described,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::Answer;
use super::request::Query;
use super::status::NoOptions;
use super::types::{CallbackEvent, ProblemDocument};

/// What can stand in a path: its name there, what it is, and one that could be meant.
const PLACES: [(&str, &str, Shape); 15] = [
    ("callback", "The number of a callback of the job.", Count),
    (
        "component",
        "`PLUGIN.COMPONENT`, with `@INSTANCE` if there are several.",
        Text("file.importer"),
    ),
    ("instance", "The name of an instance.", Text("school")),
    ("job", "The number of a job.", Number),
    ("key", "The name of a key.", Text("releases")),
    (
        "path",
        "The path of a file in its unit, as one segment: `/` is written `%2F`.",
        Text("disk.qcow2"),
    ),
    ("plugin", "The name of a plugin.", Text("file")),
    ("repository", "The name of a repository.", Text("tools")),
    ("schedule", "The name of a schedule.", Text("tools-sync")),
    ("secret", "The name of a secret.", Text("school")),
    ("token", "The name of a token.", Text("builds")),
    ("type", "The id of a type.", Text("file")),
    ("unit", "The number of a unit.", Number),
    ("upload", "The number of an upload.", Number),
    ("version", "The number of a version.", Count),
];

/// Groups of operations.
const TAGS: [(&str, &str); 14] = [
    ("attachments", "Components bound to a repository"),
    ("images", "Images that are built from templates"),
    ("instances", "Components with settings and a name"),
    ("jobs", "Work that was asked for"),
    ("keys", "What the host signs with"),
    ("plugins", "What is installed"),
    ("repositories", "Sets of units, in versions"),
    ("schedules", "Work that the server begins by itself"),
    ("secrets", "Values that settings refer to by name"),
    ("server", "The server itself, and what it stores"),
    ("tokens", "Who may upload from outside"),
    ("types", "Which kinds of units there are"),
    ("units", "What repositories hold"),
    ("uploads", "Content that users bring"),
];

const ABOUT: &str = "The API of a wharf host. It is served on the Unix socket `api.sock` in the data folder: who can \
open that may do everything. Times are milliseconds since 1970-01-01 UTC (`*_ms`), sizes are bytes. Clients ignore \
fields that they do not know; the server refuses unknown fields and options. Every refusal is a problem document.";

/// How something in a path is written.
#[derive(Clone, Copy)]
enum Shape {
    Text(&'static str),
    Number,
    Count,
}

use Shape::{Count, Number, Text};

/// The OpenAPI document of the API.
pub fn document() -> String {
    let mut document = super::described().into_openapi();
    document.info = Info::new("wharf", env!("CARGO_PKG_VERSION"));
    document.info.description = Some(ABOUT.to_owned());
    let tag = |(name, about)| TagBuilder::new().name(name).description(Some(about)).build();
    document.tags = Some(TAGS.map(tag).into());
    complete(&mut document);
    // Text, numbers and JSON values with text keys: nothing in it can refuse to be written.
    let mut value = serde_json::to_value(&document).unwrap_or_default();
    bound(&mut value);
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    // What is a link in Rust's documentation is a name here.
    text.replace("[`", "`").replace("`]", "`") + "\n"
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "showOpenApi",
    tag = "server",
    responses((status = 200, body = Object))
)]
pub(super) async fn show(Query(NoOptions {}): Query<NoOptions>) -> Answer<Response> {
    Ok(([(header::CONTENT_TYPE, "application/json")], document()).into_response())
}

/// What holds for every operation.
fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_with(Components::new);
    let mut further = vec![(ProblemDocument::name().into_owned(), ProblemDocument::schema())];
    ProblemDocument::schemas(&mut further);
    // What wharf sends itself is in no answer.
    further.push((CallbackEvent::name().into_owned(), CallbackEvent::schema()));
    CallbackEvent::schemas(&mut further);
    components.schemas.extend(further);
    let schema = Ref::from_schema_name(ProblemDocument::name());
    let problem = ResponseBuilder::new()
        .description("It was refused, or it failed.")
        .content("application/problem+json", Content::new(Some(schema)))
        .build();
    components.responses.insert("Problem".to_owned(), problem.into());
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            let parameters = operation.parameters.get_or_insert_default();
            parameters.iter_mut().for_each(never_null);
            parameters.splice(0..0, PLACES.iter().filter_map(|place| in_path(path, *place)));
            let refusal = RefOr::Ref(Ref::from_response_name("Problem"));
            operation.responses.responses.insert("default".to_owned(), refusal);
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response {
                    describe(status, response);
                }
            }
            let_body_be_empty(operation, components);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

fn in_path(path: &str, (name, about, shape): (&str, &str, Shape)) -> Option<RefOr<Parameter>> {
    let (schema, example) = match shape {
        Text(example) => (String::schema(), Value::from(example)),
        Number => (i64::schema(), Value::from(1)),
        Count => (u64::schema(), Value::from(1)),
    };
    let place = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(schema))
        .example(Some(example));
    path.contains(&format!("{{{name}}}")).then(|| RefOr::T(place.build()))
}

/// An option that is left out is not there; none is a JSON null.
fn never_null(parameter: &mut RefOr<Parameter>) {
    if let RefOr::T(parameter) = parameter
        && let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema
        && let SchemaType::Array(types) = &mut object.schema_type
    {
        types.retain(|kind| *kind != Type::Null);
        if let [kind] = types.as_slice() {
            object.schema_type = SchemaType::Type(kind.clone());
        }
    }
}

fn describe(status: &str, response: &mut Described) {
    let means = match status {
        "201" => "It was made.",
        "202" => "It will be done: the job tells how far it is.",
        "204" => "It was done.",
        _ => "What was asked for.",
    };
    means.clone_into(&mut response.description);
}

/// A body of which nothing is needed may be left out.
fn let_body_be_empty(operation: &mut Operation, components: &Components) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    let needs = body.content.values().any(|content| needs_fields(content, components));
    body.required = Some(if needs { Required::True } else { Required::False });
}

fn needs_fields(content: &RefOr<Content>, components: &Components) -> bool {
    let RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. }) = content else { return true };
    let name = schema.ref_location.rsplit('/').next().unwrap_or_default();
    match components.schemas.get(name) {
        Some(RefOr::T(Schema::Object(object))) => !object.required.is_empty(),
        _ => true,
    }
}

/// Numbers have the bounds of their formats, which few programs know by the name. What is never below zero has the
/// unsigned one.
fn bound(value: &mut Value) {
    let Some(object) = value.as_object_mut() else {
        return value.as_array_mut().into_iter().flatten().for_each(bound);
    };
    object.values_mut().for_each(bound);
    let unsigned = object.get("minimum").and_then(Value::as_f64).is_some_and(|least| least >= 0.0);
    let (format, least, most) = match object.get("format").and_then(Value::as_str) {
        Some("int32") if unsigned => ("uint32", Value::from(0), Value::from(u32::MAX)),
        Some("int64") if unsigned => ("uint64", Value::from(0), Value::from(u64::MAX)),
        Some("int32") => ("int32", Value::from(i32::MIN), Value::from(i32::MAX)),
        Some("int64") => ("int64", Value::from(i64::MIN), Value::from(i64::MAX)),
        _ => return,
    };
    object.insert("format".to_owned(), Value::from(format));
    object.entry("minimum").or_insert(least);
    object.entry("maximum").or_insert(most);
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

    #[test]
    fn the_kept_document_is_fresh() {
        let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
        let fresh = document();
        let stale = fresh.lines().zip(kept.lines()).find(|(fresh, kept)| fresh != kept);
        let rewrite = "`cargo run -p wharf -- openapi > host/server/openapi.json` rewrites it";
        assert!(fresh == kept, "openapi.json is stale, first at {stale:?}: {rewrite}");
    }

    #[test]
    fn every_operation_says_what_it_needs() {
        let document: Value = serde_json::from_str(&document()).unwrap();
        let mut ids = std::collections::BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id.to_owned()), "{id} is there twice");
                for said in ["summary", "tags", "responses"] {
                    assert!(operation.get(said).is_some(), "{method} {path}: {said}");
                }
                for place in path.split('/').filter_map(|part| part.strip_prefix('{')) {
                    let name = place.trim_end_matches('}');
                    let mut parameters = operation["parameters"].as_array().unwrap().iter();
                    assert!(parameters.any(|one| one["name"] == name), "{method} {path}: {name}");
                }
            }
        }
        assert!(ids.len() > 40, "{ids:?}");
    }
}
