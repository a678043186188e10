//! What all components of this plugin are to the host: builders that make one image each.
//!
//! Kinds of images say how one is made, with the plugin's own errors; here these become the SDK's. Knows no kind.

use wharf_sdk::{BuildRequest, Builder, Component, Context, Done, async_trait};

use crate::Error;

/// A kind of image.
pub(crate) trait Make: Send + Sync + 'static {
    /// Makes the image of a request and hands it over.
    fn make(
        &self,
        request: &BuildRequest,
        context: &Context,
    ) -> impl Future<Output = Result<Done, Error>> + Send;
}

/// A component that makes images of a kind.
pub(crate) struct Maker<Kind>(pub(crate) Kind);

impl<Kind: Make> Component for Maker<Kind> {}

#[async_trait]
impl<Kind: Make> Builder for Maker<Kind> {
    async fn build(
        &self,
        request: BuildRequest,
        context: &Context,
    ) -> Result<Done, wharf_sdk::Error> {
        Ok(self.0.make(&request, context).await?)
    }
}
