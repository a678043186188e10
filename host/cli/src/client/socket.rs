use std::path::Path;
use tokio::net::UnixStream;
pub(super) async fn connect(data: &Path) -> std::io::Result<UnixStream> {
    UnixStream::connect(data.join("api.sock")).await
}
