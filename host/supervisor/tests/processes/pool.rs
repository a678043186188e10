//! Processes that are lent.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use wharf_proto::health::health_server::{Health, HealthServer};
use wharf_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use wharf_proto::v1::{Attachment, CheckRequest, ReadyRequest, SyncRequest};
use wharf_supervisor::{
    Bounds, Catalog, Config, Error, Installed, PeerProcess, Root, RootKind, SearchPath, State,
    Supervisor, Trust, calls,
};

use crate::support::{Home, LONG, examples, guardian, says, within};

pub(crate) fn install(home: &Home, executable: &str, args: &str) -> Arc<Installed> {
    let folder = home.path().join("plugins");
    fs::create_dir_all(folder.join("example")).unwrap();
    let manifest = format!(
        r#"{{"manifest_version":1,"name":"example","version":"1.0.0","description":"d",
        "protocol":{{"versions":[1]}},"executable":{{"any":"{executable}"}},"args":[{args}],
        "env":{{"FROM_MANIFEST":"x"}},
        "components":[{{"id":"importer","role":"importer","operations":["sync"]}}]}}"#
    );
    fs::write(folder.join("example/plugin.json"), manifest).unwrap();
    let roots = vec![Root { folder, kind: RootKind::Plugins, binaries: Some(examples()) }];
    // Whoever built the examples built this program.
    let trust = Trust::of_host(&std::env::current_exe().unwrap());
    let search = SearchPath { roots, trust, ..SearchPath::default() };
    Arc::clone(Catalog::discover(&search).plugin("example").unwrap())
}

pub(crate) fn config(home: &Home) -> Config {
    let mut config = Config::new(home.runtime());
    config.guardian = guardian();
    config.backoff = Duration::from_millis(1);
    config
}

pub(crate) fn state(supervisor: &Supervisor) -> State {
    supervisor.states()[0].state
}

#[tokio::test]
async fn an_idle_process_is_lent_again_and_a_busy_one_is_not() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "");
    let supervisor = Supervisor::new(config(&home));
    let one = supervisor.lease(&plugin).await.unwrap();
    assert!(one.description().features.contains(&"env FROM_MANIFEST".into()));
    let two = supervisor.lease(&plugin).await.unwrap();
    assert_ne!(one.pid(), two.pid());
    assert_eq!((state(&supervisor), supervisor.states()[0].pids.len()), (State::Running, 2));
    let pid = one.pid();
    drop(one);
    assert_eq!(supervisor.lease(&plugin).await.unwrap().pid(), pid);
    drop(two);
    within(supervisor.shutdown()).await;
    assert_eq!(state(&supervisor), State::Stopped);
    says(&supervisor.lease(&plugin).await.unwrap_err(), "cancelled", &["shutting down"]);
    drop(supervisor);
    home.nothing_is_left().await;
}

#[tokio::test]
async fn discarded_cancelled_and_faulty_processes_are_not_lent_again() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "");
    let supervisor = Supervisor::new(config(&home));
    let first = supervisor.lease(&plugin).await.unwrap();
    let mut pids = vec![first.pid()];
    first.discard();
    drop(first);

    let cancelled = supervisor.lease(&plugin).await.unwrap();
    pids.push(cancelled.pid());
    let token = CancellationToken::new();
    token.cancel();
    let bounds = Bounds::new(LONG).cancel(token);
    calls::check(&cancelled, CheckRequest::default(), &bounds).await.unwrap_err();
    drop(cancelled);

    for how in ["no-result", "cut", "killed"] {
        let faulty = supervisor.lease(&plugin).await.unwrap();
        pids.push(faulty.pid());
        let attachment = Attachment { repository: how.into(), ..Attachment::default() };
        let request = SyncRequest { attachment: Some(attachment), ..SyncRequest::default() };
        let mut events = calls::sync(&faulty, request, &Bounds::new(LONG)).await.unwrap();
        while within(events.next()).await.is_ok_and(|event| event.is_some()) {}
    }
    let last = supervisor.lease(&plugin).await.unwrap();
    pids.push(last.pid());
    let restarts = supervisor.states()[0].restarts;
    assert_eq!(restarts, 3);
    let count = pids.len();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), count, "{pids:?}");
    drop(last);
    within(supervisor.shutdown()).await;
}

// F75, H113
#[tokio::test]
async fn a_plugin_that_always_fails_is_left_alone_and_can_be_reset() {
    let home = Home::new();
    let starts = home.path().join("starts");
    let script = format!("echo x >> {}; echo boom >&2; exit 7", starts.display());
    let plugin = install(&home, "bad", "");
    fs::rename(home.script(&script), home.path().join("plugins/example/bad")).unwrap();
    let plugin = Arc::new(Installed {
        executable: home.path().join("plugins/example/bad"),
        broken: None,
        ..Installed::clone(&plugin)
    });
    let mut config = config(&home);
    config.crash_loop = 3;
    config.backoff = Duration::from_millis(20);
    let supervisor = Supervisor::new(config);
    for _failure in 0..2 {
        says(&supervisor.lease(&plugin).await.unwrap_err(), "launch", &["status 7", "boom"]);
        assert_eq!(state(&supervisor), State::BackingOff);
    }
    supervisor.lease(&plugin).await.unwrap_err();
    let error = supervisor.lease(&plugin).await.unwrap_err();
    assert!(matches!(error, Error::CrashLoop { failures: 3, .. }), "{error}");
    says(&error, "launch", &["3 times in a row", "status 7"]);
    assert_eq!(state(&supervisor), State::CrashLoop);
    assert_eq!(lines(&starts), 3);
    supervisor.reset("example");
    says(&supervisor.lease(&plugin).await.unwrap_err(), "launch", &["boom"]);
    assert_eq!(lines(&starts), 4);
    within(supervisor.shutdown()).await;
}

fn lines(file: &Path) -> usize {
    fs::read_to_string(file).unwrap().lines().count()
}

// F25
#[tokio::test]
async fn a_plugin_that_contradicts_its_manifest_is_refused() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "\"other-name\"");
    let supervisor = Supervisor::new(config(&home));
    let error = supervisor.lease(&plugin).await.unwrap_err();
    says(&error, "policy", &["somebody-else", "example"]);
    drop(supervisor);
    home.nothing_is_left().await;
}

#[tokio::test]
async fn a_broken_plugin_is_not_started() {
    let home = Home::new();
    let plugin = install(&home, "not-built", "");
    let supervisor = Supervisor::new(config(&home));
    let error = supervisor.lease(&plugin).await.unwrap_err();
    says(&error, "config", &["example", "not-built"]);
}

/// The host's own health service, which remembers who asked.
#[derive(Clone, Default)]
struct Callers(Arc<Mutex<Vec<PeerProcess>>>);

#[tonic::async_trait]
impl Health for Callers {
    type WatchStream = tokio_stream::Empty<Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let peer = request.extensions().get::<PeerProcess>().cloned();
        self.0.lock().unwrap().push(peer.ok_or(Status::internal("nobody"))?);
        Ok(Response::new(HealthCheckResponse::default()))
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented(""))
    }
}

#[tokio::test]
async fn host_services_know_which_process_calls() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "");
    let callers = Callers::default();
    let mut config = config(&home);
    config.host_services = Some(Routes::new(HealthServer::new(callers.clone())));
    let supervisor = Supervisor::new(config);
    let one = supervisor.lease(&plugin).await.unwrap();
    let two = supervisor.lease(&plugin).await.unwrap();
    assert!(one.host_address().unwrap().ends_with("/host.sock"));
    let bounds = Bounds::new(LONG);
    for lease in [&two, &one] {
        calls::ready(lease, ReadyRequest::default(), &bounds).await.unwrap();
    }
    let seen = callers.0.lock().unwrap().clone();
    let peer = |instance| PeerProcess { plugin: "example".into(), instance };
    assert_eq!(seen, [peer(two.id()), peer(one.id())]);

    // Without the plugin's certificate nobody gets in.
    let socket = one.host_address().unwrap().strip_prefix("unix://").unwrap().to_owned();
    let stranger = wharf_proto::tls::Identity::generate().unwrap();
    let config = wharf_proto::tls::client_config(&stranger, stranger.der()).unwrap();
    let stream = tokio::net::UnixStream::connect(socket).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(config);
    connector.connect(wharf_proto::tls::server_name(), stream).await.unwrap_err();
    within(supervisor.shutdown()).await;
}
