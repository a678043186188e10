//! Why a program does not run, in words that say what to do. Looks at the file after the failure,
//! never before: the system alone knows what it can run.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::exit::Exit;

/// Shells and loaders end with these when they cannot run what they were given.
const CANNOT_RUN: &[i32] = &[2, 126, 127];
const ENOENT: i32 = 2;
const EACCES: i32 = 13;
const ENOEXEC: i32 = 8;

/// A look at the first bytes of a program.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// The interpreter's path and, behind `env`, the name that it looks up.
    Script {
        interpreter: PathBuf,
        name: Option<String>,
    },
    /// For which machine, as in the ELF header.
    Elf {
        machine: u16,
    },
    Other,
}

/// The reason for an error of `exec` (F1, F2, F3, F4).
pub(super) fn execution(program: &Path, error: &io::Error, path: Option<&OsStr>) -> String {
    // A folder of PATH that may not be read makes "not found" look like "not allowed".
    let bare = program.components().count() < 2;
    if bare && !is_in(path, program) {
        return "no such file in PATH; is it installed?".to_owned();
    }
    let kind = kind_of(program);
    match (error.raw_os_error(), kind) {
        (Some(ENOENT), Ok(Kind::Script { interpreter, .. })) => {
            format!("its interpreter {} does not exist; install it", interpreter.display())
        }
        (Some(ENOENT), Ok(Kind::Elf { .. })) => {
            "its dynamic loader does not exist; it was built for another system".to_owned()
        }
        (Some(ENOENT), _) => "no such file; is the plugin installed and built?".to_owned(),
        (Some(EACCES), _) => format!("{error}; is it a file with its executable bit set?"),
        (Some(ENOEXEC), Ok(Kind::Elf { machine })) => foreign(machine)
            .unwrap_or_else(|| "it is damaged or not a program for this system".to_owned()),
        _ if error.kind() == io::ErrorKind::ExecutableFileBusy => {
            format!("{error}: it is still being written; try again when that is done")
        }
        _ => error.to_string(),
    }
}

/// What an early end with a status such as 127 probably means.
pub(super) fn early_end(program: &Path, exit: &Exit, path: Option<&OsStr>) -> Option<String> {
    let code = exit.code?;
    if !CANNOT_RUN.contains(&code) {
        return None;
    }
    match kind_of(program).ok()? {
        Kind::Elf { machine } => foreign(machine),
        Kind::Script { name: Some(name), .. } if code != 2 => (!is_in(path, Path::new(&name)))
            .then(|| format!("its interpreter {name} is not in PATH; install it")),
        Kind::Script { .. } => None,
        Kind::Other => (code != 2).then(|| "it is neither a program nor a script".to_owned()),
    }
}

fn is_in(path: Option<&OsStr>, name: &Path) -> bool {
    path.is_some_and(|path| std::env::split_paths(path).any(|folder| folder.join(name).is_file()))
}

fn kind_of(program: &Path) -> io::Result<Kind> {
    let mut head = Vec::with_capacity(256);
    File::open(program)?.take(256).read_to_end(&mut head)?;
    Ok(classify(&head))
}

fn classify(head: &[u8]) -> Kind {
    if let Some(rest) = head.strip_prefix(b"#!") {
        let line = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let interpreter = PathBuf::from(OsStr::from_bytes(words.next().unwrap_or_default()));
        let by_env = interpreter.file_name() == Some(OsStr::new("env"));
        let name = words
            .find(|word| !word.starts_with(b"-"))
            .filter(|_| by_env)
            .map(|word| String::from_utf8_lossy(word).into_owned());
        return Kind::Script { interpreter, name };
    }
    // Source: the ELF header, e_ident and e_machine at byte 18 in the file's own byte order.
    match head {
        [0x7f, b'E', b'L', b'F', _, order, rest @ ..] => match rest.get(12..14) {
            Some(&[a, b]) if *order == 2 => Kind::Elf { machine: u16::from_be_bytes([a, b]) },
            Some(&[a, b]) => Kind::Elf { machine: u16::from_le_bytes([a, b]) },
            _ => Kind::Other,
        },
        _ => Kind::Other,
    }
}

/// `None`: it was built for this machine.
fn foreign(machine: u16) -> Option<String> {
    let (own, here) = if cfg!(target_arch = "x86_64") { (62, "x86-64") } else { (183, "arm64") };
    let name = match machine {
        3 => "32-bit x86",
        40 => "32-bit ARM",
        62 => "x86-64",
        183 => "arm64",
        243 => "RISC-V",
        _ => "another machine",
    };
    (machine != own)
        .then(|| format!("wrong architecture: it was built for {name}, this machine is {here}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_elf_files_are_told_apart() {
        let script = |interpreter: &str, name: Option<&str>| Kind::Script {
            interpreter: interpreter.into(),
            name: name.map(str::to_owned),
        };
        assert_eq!(classify(b"#!/bin/sh\necho"), script("/bin/sh", None));
        assert_eq!(classify(b"#! /usr/bin/env -S nope -x\n"), script("/usr/bin/env", Some("nope")));
        assert_eq!(classify(b"#!"), script("", None));
        let mut elf = b"\x7fELF\x02\x01".to_vec();
        elf.resize(18, 0);
        elf.extend([183, 0, 0, 0]);
        assert_eq!(classify(&elf), Kind::Elf { machine: 183 });
        assert_eq!(classify(b"\x7fELF"), Kind::Other);
        assert_eq!(classify(b""), Kind::Other);
    }
}
