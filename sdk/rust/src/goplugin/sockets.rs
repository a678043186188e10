//! Where the plugin's sockets lie, the main one and those of the broker, and who may use them.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};

use tempfile::TempDir;
use wharf_peer::Sockets;
use wharf_proto::handshake::{Environment, Network};

use super::StartError;

/// Where sockets are made, in the folder that the host gave, else in a private one of their own, which goes with the
/// second value.
pub(super) fn sockets(
    environment: &Environment,
    network: Network,
) -> Result<(Sockets, Option<TempDir>), StartError> {
    let group = environment.socket_group.as_deref().map(group).transpose()?;
    let own = match (&environment.socket_dir, network) {
        (None, Network::Unix) => Some(own_folder(group)?),
        _ => None,
    };
    let folder = environment.socket_dir.clone();
    let folder = folder.or_else(|| own.as_ref().map(|own| own.path().to_owned()));
    let ports = (environment.min_port, environment.max_port);
    let folder = folder.unwrap_or_default();
    Ok((Sockets { network, folder, group, ports, addresses: None }, own))
}

/// A folder that nobody else can look into; a group that may use the sockets can only pass through it.
fn own_folder(group: Option<u32>) -> Result<TempDir, StartError> {
    let failed = StartError::system("folder for the socket");
    make_folder(group).map_err(failed)
}

fn make_folder(group: Option<u32>) -> io::Result<TempDir> {
    let private = Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new().prefix("plugin-").permissions(private).tempdir()?;
    if group.is_some() {
        chown(folder.path(), None, group)?;
        fs::set_permissions(folder.path(), Permissions::from_mode(0o710))?;
    }
    Ok(folder)
}

/// A group by name or number.
fn group(text: &str) -> Result<u32, StartError> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let known = fs::read_to_string("/etc/group").map_err(StartError::system("list of groups"))?;
    group_number(&known, text).ok_or_else(|| StartError::UnknownGroup { group: text.to_owned() })
}

/// Source: group(5), `name:password:GID:members`.
fn group_number(groups: &str, name: &str) -> Option<u32> {
    let mut lines = groups.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        let found = fields.next() == Some(name);
        fields.nth(1).filter(|_| found)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use wharf_peer::{Bound, ListenError};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn in_folder(folder: &Path) -> Environment {
        Environment { socket_dir: Some(folder.to_owned()), ..Environment::default() }
    }

    async fn bind(environment: &Environment, network: Network) -> Result<Bound, StartError> {
        let (sockets, own) = sockets(environment, network)?;
        assert!(own.is_none());
        Ok(sockets.bind("plugin-").await?)
    }

    // P7, P11
    #[tokio::test]
    async fn the_socket_lies_in_the_given_folder_and_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let bound = bind(&in_folder(folder.path()), Network::Unix).await.unwrap();
        let path = Path::new(&bound.address.text).to_owned();
        assert_eq!((path.parent(), mode(&path)), (Some(folder.path()), 0o600));
        drop(bound);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn without_a_folder_it_makes_a_private_one() {
        let (sockets, own) = sockets(&Environment::default(), Network::Unix).unwrap();
        let folder = sockets.folder.clone();
        assert_eq!(mode(&folder), 0o700);
        drop(own);
        assert!(!folder.exists());
    }

    // P8
    #[tokio::test]
    async fn a_group_may_use_the_socket_and_pass_through_the_folder() {
        let number = rustix::process::getegid().as_raw();
        let group = Some(number.to_string());
        let environment = Environment { socket_group: group, ..Environment::default() };
        let (sockets, own) = sockets(&environment, Network::Unix).unwrap();
        let bound = sockets.bind("plugin-").await.unwrap();
        assert_eq!(mode(Path::new(&bound.address.text)), 0o660);
        assert_eq!(mode(own.unwrap().path()), 0o710);
        assert_eq!(sockets.group, Some(number));
    }

    // P9
    #[tokio::test]
    async fn a_missing_folder_a_long_path_and_an_unknown_group_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let missing = bind(&in_folder(&folder.path().join("no")), Network::Unix).await;
        assert!(missing.unwrap_err().to_string().contains("/no"));
        let long = folder.path().join("x".repeat(120));
        fs::create_dir(&long).unwrap();
        let long = bind(&in_folder(&long), Network::Unix).await;
        let Err(StartError::Listen { source }) = long else { panic!("{long:?}") };
        assert!(matches!(source, ListenError::LongPath { .. }));
        let group = Some("no-such-group-here".to_owned());
        let unknown = Environment { socket_group: group, ..in_folder(folder.path()) };
        let unknown = bind(&unknown, Network::Unix).await;
        assert!(matches!(unknown, Err(StartError::UnknownGroup { .. })));
    }

    // P10
    #[tokio::test]
    async fn the_lowest_free_port_of_the_range_is_taken() {
        let any = bind(&Environment::default(), Network::Tcp).await.unwrap();
        let taken: u16 = any.address.text.strip_prefix("127.0.0.1:").unwrap().parse().unwrap();
        let range =
            |min_port, max_port| Environment { min_port, max_port, ..Environment::default() };
        let last = taken.saturating_add(20);
        let second = bind(&range(taken, last), Network::Tcp).await.unwrap();
        let port: u16 = second.address.text.rsplit(':').next().unwrap().parse().unwrap();
        assert!((taken + 1..=last).contains(&port), "{taken}: {port}");
        let busy = bind(&range(taken, taken), Network::Tcp).await.unwrap_err();
        assert!(busy.to_string().contains(&taken.to_string()), "{busy}");
        let empty = bind(&range(9, 8), Network::Tcp).await.unwrap_err();
        assert!(matches!(empty, StartError::Listen { source: ListenError::EmptyRange { .. } }));
    }

    #[test]
    fn groups_are_found_by_name() {
        let groups = "root:x:0:\nstaff:x:50:a,b\nbad\n";
        assert_eq!(group_number(groups, "staff"), Some(50));
        assert_eq!(group_number(groups, "bad"), None);
        assert_eq!(group_number(groups, "sta"), None);
    }
}
