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

/// The services that are added to the author's.
const EVERY_PLUGIN: [&str; 6] = [
    V1::NAME,
    V1Alpha::NAME,
    "grpc.health.v1.Health",
    "plugin.GRPCBroker",
    "plugin.GRPCController",
    "plugin.GRPCStdio",
];

/// What is to be told.
pub(super) struct Told {
    /// Encoded descriptor sets of the author's.
    pub(super) descriptors: Vec<&'static [u8]>,
    /// The author's services; `None`: all that the descriptors name.
    pub(super) names: Option<Vec<&'static str>>,
}

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
    told: Arc<Told>,
    made: Arc<OnceLock<Result<Routes, Status>>>,
    version: PhantomData<V>,
}

impl<V: Version> Reflection<V> {
    pub(super) fn new(told: Arc<Told>) -> Self {
        Self { told, made: Arc::default(), version: PhantomData }
    }

    fn make(&self) -> Result<Routes, Status> {
        let every_plugin = [
            goplugin::FILE_DESCRIPTOR_SET,
            pb::v1::FILE_DESCRIPTOR_SET,
            pb::v1alpha::FILE_DESCRIPTOR_SET,
        ];
        let sets = self.told.descriptors.iter().copied().chain(every_plugin);
        let builder = Builder::configure().include_reflection_service(false);
        let builder = sets.fold(builder, Builder::register_encoded_file_descriptor_set);
        let names = self.told.names.iter().flat_map(|own| own.iter().chain(&EVERY_PLUGIN));
        let builder = names.fold(builder, |builder, name| builder.with_service_name(*name));
        V::build(builder).map_err(|error| {
            tracing::error!(%error, "the descriptors given to Server::reflection cannot be read");
            Status::internal(format!("the plugin's descriptors cannot be read: {error}"))
        })
    }
}

impl<V> Clone for Reflection<V> {
    fn clone(&self) -> Self {
        let (told, made) = (Arc::clone(&self.told), Arc::clone(&self.made));
        Self { told, made, version: PhantomData }
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
