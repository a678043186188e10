//! Who is told over HTTP how jobs go.

use clap::Args;

use crate::api::CallbackRequest;

/// `--callback` and `--callback-secret`
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Callbacks {
    /// Tell this address by POST of every change of a job's state; may be given several times
    #[arg(long = "callback", value_name = "URL")]
    urls: Vec<String>,
    /// Sign what callbacks are told with this secret, as Standard Webhooks says
    #[arg(long = "callback-secret", value_name = "NAME", requires = "urls")]
    secret: Option<String>,
}

impl Callbacks {
    /// As the API takes them.
    pub(crate) fn wanted(&self) -> Vec<CallbackRequest> {
        let Self { urls, secret } = self;
        let one = |url: &String| CallbackRequest { url: url.clone(), secret: secret.clone() };
        urls.iter().map(one).collect()
    }
}
