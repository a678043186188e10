//! gRPC reflection, both versions: what services there are, and what their messages look like.
//!
//! Few plugins are ever asked, so the descriptors are read at the first call.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_reflection::pb;
use tonic_reflection::server::{Builder, Error};
use tower::Service;
use wharf_proto::goplugin;

/// One version of the service.
pub(super) trait Version: Send + Sync + 'static {
    const NAME: &'static str;

    /// The service over these descriptors.
    fn build(builder: Builder<'_>) -> Result<Routes, Error>;
}

pub(super) struct V1;

impl Version for V1 {
    const NAME: &'static str = "grpc.reflection.v1.ServerReflection";

    fn build(builder: Builder<'_>) -> Result<Routes, Error> {
        builder.build_v1().map(Routes::new)
    }
}

pub(super) struct V1Alpha;

impl Version for V1Alpha {
    const NAME: &'static str = "grpc.reflection.v1alpha.ServerReflection";

    fn build(builder: Builder<'_>) -> Result<Routes, Error> {
        builder.build_v1alpha().map(Routes::new)
    }
}

/// The service, made when it is first called.
pub(super) struct Reflection<V> {
    descriptors: Arc<[&'static [u8]]>,
    made: Arc<OnceLock<Result<Routes, Status>>>,
    version: PhantomData<V>,
}

impl<V: Version> Reflection<V> {
    pub(super) fn new(descriptors: Arc<[&'static [u8]]>) -> Self {
        Self { descriptors, made: Arc::default(), version: PhantomData }
    }

    fn make(&self) -> Result<Routes, Status> {
        let every_plugin = [
            goplugin::FILE_DESCRIPTOR_SET,
            pb::v1::FILE_DESCRIPTOR_SET,
            pb::v1alpha::FILE_DESCRIPTOR_SET,
        ];
        let sets = self.descriptors.iter().copied().chain(every_plugin);
        let builder = Builder::configure().include_reflection_service(false);
        let builder = sets.fold(builder, Builder::register_encoded_file_descriptor_set);
        V::build(builder).map_err(|error| {
            tracing::error!(%error, "the descriptors given to Server::reflection cannot be read");
            Status::internal(format!("the plugin's descriptors cannot be read: {error}"))
        })
    }
}

impl<V> Clone for Reflection<V> {
    fn clone(&self) -> Self {
        let (descriptors, made) = (Arc::clone(&self.descriptors), Arc::clone(&self.made));
        Self { descriptors, made, version: PhantomData }
    }
}

impl<V: Version> NamedService for Reflection<V> {
    const NAME: &'static str = V::NAME;
}

impl<V: Version> Service<Request<Body>> for Reflection<V> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.made.get_or_init(|| self.make()).clone() {
            Ok(mut routes) => Box::pin(routes.call(request)),
            Err(status) => Box::pin(std::future::ready(Ok(status.into_http()))),
        }
    }
}
