//! Whether an address without TLS is safe from other users: by the folder's owner and mode, and by who listens.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;
use wharf_proto::handshake::Network;

/// # Errors
/// What is wrong, and what to do.
pub(super) fn check(network: Network, address: &Path) -> Result<(), String> {
    if network != Network::Unix {
        return Err(format!(
            "it listens on {network}, where every user of the machine can be; without TLS only a Unix \
             socket in a private folder is dialled"
        ));
    }
    let folder = address.parent().unwrap_or(Path::new("/"));
    let look = |path: &Path| {
        fs::symlink_metadata(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let (of_folder, of_socket) = (look(folder)?, look(address)?);
    let own = geteuid().as_raw();
    let mode = of_folder.mode() & 0o777;
    if of_folder.uid() != own || mode & 0o077 != 0 || !of_folder.is_dir() {
        return Err(format!(
            "the folder {} has mode {mode:o} and owner {}; without TLS it must be yours with mode 700",
            folder.display(),
            of_folder.uid()
        ));
    }
    if of_socket.uid() != own || !of_socket.file_type().is_socket() {
        return Err(format!("{} is no socket of yours", address.display()));
    }
    let listener = UnixStream::connect(address)
        .map_err(|error| format!("nobody answers at {}: {error}", address.display()))?;
    let peer = socket_peercred(&listener)
        .map_err(|error| format!("who listens at {} is not known: {error}", address.display()))?;
    if peer.uid.as_raw() != own {
        return Err(format!("user {} listens at {}", peer.uid.as_raw(), address.display()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn only_a_socket_of_ours_in_a_private_folder_is_safe() {
        let mode = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(mode).tempdir().unwrap();
        let socket = folder.path().join("s");
        assert!(check(Network::Unix, &socket).unwrap_err().contains("No such file"));
        let listener = UnixListener::bind(&socket).unwrap();
        assert_eq!(check(Network::Unix, &socket), Ok(()));
        fs::set_permissions(folder.path(), Permissions::from_mode(0o750)).unwrap();
        assert!(check(Network::Unix, &socket).unwrap_err().contains("mode 750"));
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        drop(listener);
        assert!(check(Network::Unix, &socket).unwrap_err().contains("nobody answers"));
        fs::write(folder.path().join("f"), "").unwrap();
        assert!(check(Network::Unix, &folder.path().join("f")).unwrap_err().contains("no socket"));
        assert!(check(Network::Tcp, Path::new("127.0.0.1:1")).unwrap_err().contains("tcp"));
    }
}
