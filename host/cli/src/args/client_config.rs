//! `wharf client-config`

use clap::Args;

/// `wharf client-config`
#[derive(Debug, Args)]
#[command(after_help = "\
Standard output is what to paste; where it belongs is told on standard error.

Examples:
  wharf client-config debian > /etc/apt/sources.list.d/debian.sources
  wharf client-config pypi --base-url https://mirror.example.org")]
pub(crate) struct ClientConfig {
    /// The repository
    pub(crate) name: String,
    /// Whose publication, when the repository has several distributors
    #[arg(long, value_name = "PLUGIN.COMPONENT")]
    pub(crate) distributor: Option<String>,
    /// Where clients reach the server [default: where it serves]
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
}
