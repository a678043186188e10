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
/// Where a PE header begins within this, its machine is found.
const HEAD_BYTES: usize = 1024;

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
    /// A program of another system: its format and its machine.
    Foreign {
        format: &'static str,
        machine: &'static str,
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
        (Some(ENOEXEC), Ok(kind)) => foreign(&kind)
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
        kind @ (Kind::Elf { .. } | Kind::Foreign { .. }) => foreign(&kind),
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
    let mut head = Vec::with_capacity(HEAD_BYTES);
    File::open(program)?.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
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
    elf(head).or_else(|| pe(head)).or_else(|| mach_o(head)).unwrap_or(Kind::Other)
}

/// Source: the ELF header, `e_ident` and `e_machine` at byte 18 in the file's own byte order.
fn elf(head: &[u8]) -> Option<Kind> {
    let order = *head.strip_prefix(b"\x7fELF")?.get(1)?;
    let machine = head.get(18..)?.first_chunk()?;
    let machine =
        if order == 2 { u16::from_be_bytes(*machine) } else { u16::from_le_bytes(*machine) };
    Some(Kind::Elf { machine })
}

/// Source: the PE format, `e_lfanew` at byte 60 and `Machine` behind the signature.
fn pe(head: &[u8]) -> Option<Kind> {
    head.strip_prefix(b"MZ")?;
    let header = head.get(60..).and_then(|rest| rest.first_chunk());
    let header = header.and_then(|place| usize::try_from(u32::from_le_bytes(*place)).ok());
    let header = header.and_then(|place| head.get(place..)?.strip_prefix(b"PE\0\0")?.first_chunk());
    let machine = match header.map(|machine| u16::from_le_bytes(*machine)) {
        Some(0x014c) => "32-bit x86",
        Some(0x8664) => "x86-64",
        Some(0xaa64) => "arm64",
        _ => "another machine",
    };
    Some(Kind::Foreign { format: "PE (Windows)", machine })
}

/// Source: the Mach-O format, `mach/machine.h`: the magic number and `cputype`, both in the file's
/// own byte order; a fat file has several, and a magic number that Java's classes have too.
fn mach_o(head: &[u8]) -> Option<Kind> {
    let (magic, rest) = head.split_first_chunk()?;
    let number: [u8; 4] = *rest.first_chunk()?;
    let cpu = match magic {
        [0xfe, 0xed, 0xfa, 0xce | 0xcf] => u32::from_be_bytes(number),
        [0xce | 0xcf, 0xfa, 0xed, 0xfe] => u32::from_le_bytes(number),
        // So many machines no file is for; Java has its version here.
        [0xca, 0xfe, 0xba, 0xbe] if (1..40).contains(&u32::from_be_bytes(number)) => 0,
        _ => return None,
    };
    let machine = match cpu {
        0 => "several machines",
        7 => "32-bit x86",
        0x0100_0007 => "x86-64",
        0x0100_000c => "arm64",
        _ => "another machine",
    };
    Some(Kind::Foreign { format: "Mach-O (macOS)", machine })
}

/// `None`: it was built for this machine, or is no program at all.
fn foreign(kind: &Kind) -> Option<String> {
    let (own, here) = if cfg!(target_arch = "x86_64") { (62, "x86-64") } else { (183, "arm64") };
    let (format, name) = match *kind {
        Kind::Elf { machine } if machine != own => ("ELF", machine_name(machine)),
        Kind::Foreign { format, machine } => (format, machine),
        Kind::Elf { .. } | Kind::Script { .. } | Kind::Other => return None,
    };
    Some(format!(
        "wrong architecture: it is a program in the format {format} for {name}, this machine takes ELF for {here}"
    ))
}

fn machine_name(machine: u16) -> &'static str {
    match machine {
        3 => "32-bit x86",
        40 => "32-bit ARM",
        62 => "x86-64",
        183 => "arm64",
        243 => "RISC-V",
        _ => "another machine",
    }
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

    // H122
    #[test]
    fn programs_of_other_systems_are_named_with_their_machine() {
        let mut pe = b"MZ".to_vec();
        pe.resize(60, 0);
        pe.extend([128, 0, 0, 0]);
        pe.resize(128, 0);
        pe.extend(b"PE\0\0\x64\xaa");
        let windows = |machine| Kind::Foreign { format: "PE (Windows)", machine };
        assert_eq!(classify(&pe), windows("arm64"));
        assert_eq!(classify(b"MZ\xff"), windows("another machine"));
        let mac = |machine| Kind::Foreign { format: "Mach-O (macOS)", machine };
        assert_eq!(classify(b"\xcf\xfa\xed\xfe\x0c\0\0\x01"), mac("arm64"));
        assert_eq!(classify(b"\xfe\xed\xfa\xcf\x01\0\0\x07"), mac("x86-64"));
        assert_eq!(classify(b"\xca\xfe\xba\xbe\0\0\0\x02"), mac("several machines"));
        assert_eq!(classify(b"\xca\xfe\xba\xbe\0\0\0\x41"), Kind::Other);
        let text = foreign(&classify(&pe)).unwrap();
        assert!(text.contains("PE (Windows) for arm64") && text.contains("takes ELF"), "{text}");
    }
}
