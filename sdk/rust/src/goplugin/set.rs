//! A set of services and what they are called, so that reflection lists what is served and nothing else.

use std::convert::Infallible;

use http::{Request, Response};
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tower::Service;

/// The services of one version of an application's protocol.
///
/// [`routes!`](crate::routes) makes one of generated servers. tonic's [`Routes`] becomes one as well; their names are
/// not known then, and reflection lists every service of the descriptors.
#[derive(Clone, Debug, Default)]
pub struct Services {
    routes: Routes,
    names: Option<Vec<&'static str>>,
}

impl Services {
    /// With one more service.
    #[must_use]
    pub fn with<S>(self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        let mut names = self.names.unwrap_or_default();
        names.push(S::NAME);
        Self { routes: self.routes.add_service(service), names: Some(names) }
    }

    pub(super) fn into_parts(self) -> (Routes, Option<Vec<&'static str>>) {
        (self.routes, self.names)
    }
}

impl From<Routes> for Services {
    fn from(routes: Routes) -> Self {
        Self { routes, names: None }
    }
}

impl From<Services> for Routes {
    fn from(services: Services) -> Self {
        services.routes
    }
}
