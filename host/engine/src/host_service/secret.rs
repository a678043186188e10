//! Secrets, by the names that the settings of the call hold; no others, and to nobody else (F71).

use tonic::{Response, Status};
use wharf_proto::v1;

use super::{Rights, status};
use crate::problem::Problem;
use crate::secrets::Secrets;

pub(super) async fn get(
    secrets: &Secrets,
    rights: &Rights,
    request: v1::GetSecretRequest,
) -> Result<Response<v1::GetSecretResponse>, Status> {
    if !rights.secrets.contains(&request.name) {
        tracing::warn!(
            job = rights.job,
            wanted = request.name.chars().take(80).collect::<String>(),
            security = true,
            "a plugin wanted a secret that is not for it"
        );
        return Err(Status::permission_denied(
            "a call is handed the secrets that its own settings name, and no others",
        ));
    }
    let value = secrets.get(&request.name).await.map_err(|problem| status(&told(problem)))?;
    rights.audit.count(&request.name);
    Ok(Response::new(v1::GetSecretResponse { value }))
}

/// A status has one text, so what to do next goes with what happened: the plugin's error is what the user sees.
fn told(mut problem: Problem) -> Problem {
    if let Some(help) = problem.help.take() {
        problem.message = format!("{}; {help}", problem.message);
    }
    problem
}
