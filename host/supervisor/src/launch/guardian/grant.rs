//! What a plugin is given besides its arguments and its environment: limits, and open files. The
//! host sends it to the guardian, and the guardian hands it on to the stage that becomes the
//! plugin, each time as the first message on their socket pair.
//!
//! ```text
//! files (1): 1 standard input, 2 executable | limits: 4 of u64, little endian (32); u64::MAX: none
//! ```
//!
//! The files travel along as `SCM_RIGHTS`, in this order, closed by the next `exec`. So no file of
//! the host is ever open to inherit, not even for a moment.

use std::io::{self, IoSlice, IoSliceMut, Read as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::launch::limits::Limits;

/// Size of the message.
pub(crate) const GRANT_BYTES: usize = 33;

const STDIN: u8 = 1;
const EXECUTABLE: u8 = 2;
/// At most so many files travel.
const FILES: usize = 2;
const NO_LIMIT: u64 = u64::MAX;

/// What a plugin is given.
#[derive(Debug, Default)]
pub(crate) struct Grant {
    /// The plugin's standard input. `None`: it is empty.
    pub(crate) stdin: Option<OwnedFd>,
    /// The program itself, open for reading, and by nobody for writing (the kernel would refuse to
    /// run it). `None`: it is opened by its path.
    pub(crate) executable: Option<OwnedFd>,
    pub(crate) limits: Limits,
}

/// The message without its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    stdin: bool,
    executable: bool,
    limits: Limits,
}

impl Grant {
    /// Sends it as one message.
    pub(crate) fn send(&self, to: &UnixStream) -> io::Result<()> {
        let head = Head {
            stdin: self.stdin.is_some(),
            executable: self.executable.is_some(),
            limits: self.limits,
        };
        let files: Vec<BorrowedFd<'_>> =
            self.stdin.iter().chain(&self.executable).map(OwnedFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !files.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&files)) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let bytes = head.encode();
        let sent = sendmsg(to, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL)?;
        if sent == GRANT_BYTES { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// Waits for it.
    pub(crate) fn receive(from: &UnixStream) -> io::Result<Self> {
        let mut bytes = [0; GRANT_BYTES];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let read = recvmsg(
            from,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )?
        .bytes;
        let mut files = control.drain().flat_map(|message| match message {
            RecvAncillaryMessage::ScmRights(files) => files.collect(),
            _ => Vec::new(),
        });
        let (first, second) = (files.next(), files.next());
        let mut from = from;
        from.read_exact(bytes.get_mut(read..).unwrap_or_default())?;
        let head = Head::decode(bytes).ok_or(io::ErrorKind::InvalidData)?;
        let (stdin, executable) = if head.stdin { (first, second) } else { (None, first) };
        if stdin.is_some() != head.stdin || executable.is_some() != head.executable {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Self { stdin, executable, limits: head.limits })
    }
}

impl Head {
    pub(crate) fn encode(self) -> [u8; GRANT_BYTES] {
        let Limits { processes, address_space, open_files, file_bytes } = self.limits;
        let mut bytes = [0; GRANT_BYTES];
        let files = u8::from(self.stdin) * STDIN + u8::from(self.executable) * EXECUTABLE;
        let numbers = [processes, address_space, open_files, file_bytes]
            .into_iter()
            .flat_map(|limit| limit.unwrap_or(NO_LIMIT).to_le_bytes());
        for (place, byte) in bytes.iter_mut().zip([files].into_iter().chain(numbers)) {
            *place = byte;
        }
        bytes
    }

    /// `None`: not a message of this version.
    pub(crate) fn decode(bytes: [u8; GRANT_BYTES]) -> Option<Self> {
        let (&files, numbers) = bytes.split_first()?;
        if files & !(STDIN | EXECUTABLE) != 0 {
            return None;
        }
        let (words, _rest) = numbers.as_chunks();
        let mut words = words.iter().map(|&word| u64::from_le_bytes(word));
        let mut limit = || words.next().filter(|&word| word != NO_LIMIT);
        let limits = Limits {
            processes: limit(),
            address_space: limit(),
            open_files: limit(),
            file_bytes: limit(),
        };
        Some(Self { stdin: files & STDIN != 0, executable: files & EXECUTABLE != 0, limits })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;

    use super::*;

    #[test]
    fn limits_and_files_arrive_in_their_places() {
        let (near, far) = UnixStream::pair().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"x").unwrap();
        let limits = Limits::default().open_files(7).file_bytes(1 << 40);
        let null = || Some(File::open("/dev/null").unwrap().into());
        for (stdin, executable) in
            [(None, None), (null(), None), (None, null()), (null(), Some(file.into()))]
        {
            let grant = Grant { stdin, executable, limits };
            grant.send(&near).unwrap();
            let got = Grant::receive(&far).unwrap();
            assert_eq!(got.stdin.is_some(), grant.stdin.is_some());
            assert_eq!(got.executable.is_some(), grant.executable.is_some());
            assert_eq!(got.limits, limits);
        }
    }

    #[test]
    fn what_is_no_grant_is_refused() {
        let (near, far) = UnixStream::pair().unwrap();
        (&near).write_all(&[4; GRANT_BYTES]).unwrap();
        Grant::receive(&far).unwrap_err();
        // It announces a file and brings none.
        (&near).write_all(&[1; GRANT_BYTES]).unwrap();
        Grant::receive(&far).unwrap_err();
        drop(near);
        Grant::receive(&far).unwrap_err();
    }
}
