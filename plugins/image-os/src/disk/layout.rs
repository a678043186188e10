//! Where things lie on the disk. One GPT; the system partition for the firmware first, then the tree to the end.

use sha2::{Digest as _, Sha256};
use wharf_sdk::Error;

use crate::request::{Boot, Recipe};

const MIB: u64 = 1 << 20;
/// Two kernels with their initial file systems fit, of the largest kind.
const ESP_BYTES: u64 = 256 * MIB;
/// Types of partitions. Source: UEFI specification, 5.3.3, and the discoverable partitions specification.
const ESP_TYPE: &str = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
const LINUX_TYPE: &str = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";

/// Sizes and identifiers. These are made from the template, so that the same template has the same ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) disk_bytes: u64,
    esp_bytes: u64,
    disk_uuid: String,
    pub(crate) root_uuid: String,
    root_part_uuid: String,
    esp_part_uuid: String,
    pub(crate) esp_id: String,
}

impl Layout {
    pub(crate) fn of(recipe: &Recipe) -> Result<Self, Error> {
        let esp_bytes = match recipe.parameters.boot {
            Boot::Uefi => ESP_BYTES,
            Boot::None => 0,
        };
        // Whole megabytes: where partitions begin and end.
        let disk_bytes = recipe.template.disk.size_bytes.div_ceil(MIB) * MIB;
        if disk_bytes < esp_bytes + 66 * MIB {
            let least = (esp_bytes + 66 * MIB) / MIB;
            let message =
                format!("a disk of {} MiB is too small: at least {least} MiB", disk_bytes / MIB);
            return Err(Error::usage("config.disk", message));
        }
        let seed = recipe.template.to_json();
        let id = uuid(&seed, "esp");
        Ok(Self {
            disk_bytes,
            esp_bytes,
            disk_uuid: uuid(&seed, "disk"),
            root_uuid: uuid(&seed, "root"),
            root_part_uuid: uuid(&seed, "root partition"),
            esp_part_uuid: uuid(&seed, "esp partition"),
            esp_id: id.chars().filter(char::is_ascii_hexdigit).take(8).collect(),
        })
    }

    pub(crate) fn root_offset(&self) -> u64 {
        MIB + self.esp_bytes
    }

    /// The last megabyte belongs to the table's copy.
    pub(crate) fn root_kib(&self) -> u64 {
        (self.disk_bytes - self.root_offset() - MIB) / 1024
    }

    pub(crate) fn esp_kib(&self) -> u64 {
        self.esp_bytes / 1024
    }

    /// Refuses a tree that cannot fit; the file system itself takes a twentieth.
    pub(crate) fn must_hold(&self, tree_bytes: u64) -> Result<(), Error> {
        let room = self.root_kib() * 1024 / 20 * 19;
        if tree_bytes <= room {
            return Ok(());
        }
        let message = format!(
            "the system has {} MiB and the disk room for {} MiB; give disk/size more",
            tree_bytes / MIB,
            room / MIB
        );
        Err(Error::usage("config.disk", message))
    }

    /// What sfdisk reads.
    pub(crate) fn script(&self) -> String {
        let mut script = format!("label: gpt\nlabel-id: {}\nunit: sectors\n", self.disk_uuid);
        let mut partition = |start: u64, bytes: u64, kind: &str, uuid: &str, name: &str| {
            let (start, size) = (start / 512, bytes / 512);
            let line =
                format!("start={start}, size={size}, type={kind}, uuid={uuid}, name=\"{name}\"\n");
            script.push_str(&line);
        };
        if self.esp_bytes > 0 {
            partition(MIB, self.esp_bytes, ESP_TYPE, &self.esp_part_uuid, "ESP");
        }
        partition(
            self.root_offset(),
            self.root_kib() * 1024,
            LINUX_TYPE,
            &self.root_part_uuid,
            "root",
        );
        script
    }
}

/// The entry that systemd-boot starts.
pub(super) fn entry(kernelparam: Option<&str>, name: &str) -> String {
    let given = kernelparam.unwrap_or_default();
    let console =
        if given.contains("console=") { "" } else { " console=tty0 console=ttyS0,115200" };
    let options = format!("root=LABEL=root ro{console} {given}");
    format!("title {name}\nlinux /vmlinuz\ninitrd /initrd.img\noptions {}\n", options.trim_end())
}

/// A random-looking identifier that is always the same for the same use of the same template.
fn uuid(seed: &str, purpose: &str) -> String {
    let digest =
        Sha256::new().chain_update(purpose).chain_update([0]).chain_update(seed).finalize();
    let mut hex: Vec<u8> = digest.iter().take(16).copied().collect();
    // Version 4, variant 1. Source: RFC 9562, 5.4.
    if let [_, _, _, _, _, _, version, _, variant, ..] = hex.as_mut_slice() {
        *version = (*version & 0x0f) | 0x40;
        *variant = (*variant & 0x3f) | 0x80;
    }
    let hex: Vec<String> = hex.iter().map(|byte| format!("{byte:02x}")).collect();
    [0..4, 4..6, 6..8, 8..10, 10..16].map(|part| hex[part].concat()).join("-")
}

#[cfg(test)]
mod tests {
    use wharf_template::{Form, Template};

    use super::*;
    use crate::request::Parameters;

    fn recipe(size: &str, boot: Boot) -> Recipe {
        let text = format!(
            r#"{{"name":"x","os":{{"name":"Debian","version":"12","arch":"x86_64","install":{{"type":"url","url":"http://m.example/"}}}},"disk":{{"size":"{size}"}}}}"#
        );
        let template = Template::read(text.as_bytes(), Form::Json).unwrap();
        let parameters = Parameters { boot, ..Parameters::default() };
        let (mirror, keyring) = (String::new(), String::new());
        Recipe { template, parameters, keyring, image_mirror: mirror.clone(), mirror }
    }

    #[test]
    fn a_disk_that_boots_has_a_system_partition_before_the_tree() {
        let layout = Layout::of(&recipe("1 GiB", Boot::Uefi)).unwrap();
        assert_eq!(layout.root_offset(), 257 * MIB);
        assert_eq!(layout.root_kib(), (1024 - 258) * 1024);
        let script = layout.script();
        assert!(script.starts_with("label: gpt\nlabel-id: "), "{script}");
        assert!(script.contains("start=2048, size=524288, type=C12A7328-"), "{script}");
        assert!(script.contains("start=526336, size=1568768, type=0FC63DAF-"), "{script}");
    }

    #[test]
    fn a_disk_for_containers_has_the_tree_alone() {
        let layout = Layout::of(&recipe("500MB", Boot::None)).unwrap();
        assert_eq!(layout.disk_bytes % MIB, 0);
        assert_eq!(layout.script().matches("start=").count(), 1);
        assert!(layout.must_hold(400 * MIB).is_ok());
        let refused = layout.must_hold(470 * MIB).unwrap_err();
        assert!(refused.to_string().contains("give disk/size more"), "{refused}");
        assert!(Layout::of(&recipe("200MB", Boot::Uefi)).is_err());
    }

    #[test]
    fn identifiers_depend_on_the_template_alone() {
        let one = Layout::of(&recipe("1 GiB", Boot::Uefi)).unwrap();
        assert_eq!(one, Layout::of(&recipe("1 GiB", Boot::Uefi)).unwrap());
        assert_ne!(one.root_uuid, Layout::of(&recipe("2 GiB", Boot::Uefi)).unwrap().root_uuid);
        assert_ne!(one.root_uuid, one.root_part_uuid);
        assert_eq!(one.root_uuid.len(), 36);
        assert_eq!(one.esp_id.len(), 8);
    }

    #[test]
    fn the_kernel_gets_what_the_template_gives_it() {
        assert!(
            entry(None, "x")
                .ends_with("options root=LABEL=root ro console=tty0 console=ttyS0,115200\n")
        );
        assert!(entry(Some("console=hvc0 quiet"), "x").ends_with("ro console=hvc0 quiet\n"));
    }
}
