//! What the tests of real builds share: a mirror, a user, and the tools that look at images.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

/// Firmware for machines without hardware help.
const FIRMWARE: &str = "/usr/share/OVMF/OVMF_CODE.fd";
const FIRMWARE_VARIABLES: &str = "/usr/share/OVMF/OVMF_VARS.fd";
/// Software emulation on a busy machine takes its time.
const BOOT: Duration = Duration::from_mins(15);

/// Runs a program that must succeed; answers what it wrote.
pub(crate) fn run(program: &str, args: &[&str]) -> String {
    let output = try_run(program, args);
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {args:?}: {}\n{out}\n{err}", output.status);
    out.into_owned()
}

/// Runs a program.
pub(crate) fn try_run(program: &str, args: &[&str]) -> Output {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let started = Command::new(program).args(args).env("PATH", path).output();
    started.unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// The mirror that apt uses on this machine, and the release that it has there.
pub(crate) fn mirror() -> (String, String) {
    let targets = run(
        "apt-get",
        &[
            "indextargets",
            "--format",
            "$(ORIGIN)|$(LABEL)|$(REPO_URI)|$(CODENAME)",
            "Created-By: Packages",
        ],
    );
    let line = targets.lines().find_map(|line| {
        let rest = line.strip_prefix("Debian|Debian|")?;
        let (url, codename) = rest.split_once('|')?;
        (!codename.contains('-'))
            .then(|| (url.trim_end_matches('/').to_owned(), codename.to_owned()))
    });
    line.unwrap_or_else(|| {
        panic!("apt has no mirror of Debian; `apt-get update` reads its lists:\n{targets}")
    })
}

/// A repository of one small package, to be reached by a file address.
pub(crate) fn repository(folder: &Path) -> String {
    let package = folder.join("hello");
    std::fs::create_dir_all(package.join("DEBIAN")).unwrap();
    std::fs::create_dir_all(package.join("usr/share/wharf-hello")).unwrap();
    std::fs::write(package.join("usr/share/wharf-hello/greeting"), "hello\n").unwrap();
    let control = "Package: wharf-hello\nVersion: 1.0\nArchitecture: all\nMaintainer: t <t@example.org>\nDescription: says hello\n";
    std::fs::write(package.join("DEBIAN/control"), control).unwrap();
    let deb = folder.join("wharf-hello_1.0_all.deb");
    let (package, text) = (package.to_string_lossy(), folder.to_string_lossy());
    run("dpkg-deb", &["--root-owner-group", "--build", &package, &deb.to_string_lossy()]);
    let list = run("sh", &["-c", "cd \"$0\" && dpkg-scanpackages -m . 2>/dev/null", &text]);
    std::fs::write(folder.join("Packages"), list).unwrap();
    format!("deb file://{text} ./")
}

/// A disk, unpacked to look into it.
pub(crate) struct Disk {
    raw: PathBuf,
}

impl Disk {
    pub(crate) fn unpack(qcow2: &Path, folder: &Path) -> Self {
        let raw = folder.join("look.raw");
        let (from, to) = (qcow2.to_string_lossy(), raw.to_string_lossy());
        run("qemu-img", &["convert", "-O", "raw", &from, &to]);
        run("sfdisk", &["--verify", &to]);
        Self { raw }
    }

    /// The tree's file system, as e2fsprogs name a part of a file.
    fn root(&self, offset: u64) -> String {
        format!("{}?offset={offset}", self.raw.display())
    }

    /// Nothing is wrong with the file system.
    pub(crate) fn check(&self, offset: u64) {
        run("e2fsck", &["-f", "-n", &self.root(offset)]);
    }

    /// What debugfs answers.
    pub(crate) fn ask(&self, offset: u64, question: &str) -> String {
        run("debugfs", &["-R", question, &self.root(offset)])
    }

    /// The files of the firmware's partition.
    pub(crate) fn firmware(&self, offset: u64) -> String {
        run("mdir", &["-b", "-/", "-i", &format!("{}@@{offset}", self.raw.display())])
    }

    /// Starts the disk alone, by its own boot loader, under software emulation, until a word stands on the console.
    pub(crate) fn boot(&self, word: &str) {
        let folder = self.raw.parent().unwrap();
        let variables = folder.join("variables.fd");
        std::fs::copy(FIRMWARE_VARIABLES, &variables).unwrap();
        let (console, flash) = (folder.join("console"), "if=pflash,format=raw");
        let mut machine = Command::new("qemu-system-x86_64");
        machine
            .args([
                "-machine",
                "q35,accel=tcg",
                "-cpu",
                "max",
                "-m",
                "1024",
                "-display",
                "none",
                "-no-reboot",
            ])
            .args(["-drive", &format!("{flash},readonly=on,file={FIRMWARE}")])
            .args(["-drive", &format!("{flash},file={}", variables.display())])
            .args(["-drive", &format!("if=virtio,format=raw,file={}", self.raw.display())])
            .args(["-serial", &format!("file:{}", console.display())]);
        let mut machine = Machine(machine.spawn().unwrap());
        let deadline = Instant::now() + BOOT;
        let said =
            || String::from_utf8_lossy(&std::fs::read(&console).unwrap_or_default()).into_owned();
        while !said().contains(word) {
            let ended = machine.0.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{ended:?}\n{}", said());
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// A started machine. Dropping it ends it.
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
