//! `wharf image push` and `wharf image unpublish`.

use super::attach::settings;
use super::edit;
use crate::api::PushRequest;
use crate::app::App;
use crate::args::{ImagePush, ImageUnpublish};
use crate::error::Error;
use crate::exit::Exit;

/// `wharf image push`
pub(super) async fn push(app: &App, args: ImagePush) -> Result<Exit, Error> {
    let ImagePush { id, provider, parameters, again, callbacks, waiting } = args;
    let callbacks = callbacks.wanted();
    let body = PushRequest { provider, parameters: settings(parameters)?, again, callbacks };
    edit::job(app, &format!("units/{id}/push"), &body, waiting).await
}

/// `wharf image unpublish`
pub(super) async fn unpublish(app: &App, args: ImageUnpublish) -> Result<Exit, Error> {
    let body = serde_json::json!({});
    edit::job(app, &format!("units/{}/unpublish", args.id), &body, args.waiting).await
}
