//! What Glance calls the format of a disk and of what is around it. Source: Glance's "Disk and Container Formats".

use wharf_sdk::Error;

use crate::image::Image;

/// Disk format and container format of an image.
pub(super) fn of(image: &Image) -> Result<(&'static str, &'static str), Error> {
    let name = image.file.name.to_ascii_lowercase();
    let ending = name.rsplit('.').next().unwrap_or_default();
    let known = [image.format.as_str(), ending].into_iter().find_map(disk);
    let disk = known.ok_or_else(|| {
        let message = format!(
            "{} is no disk that Glance knows: it takes qcow2, raw, vmdk, vdi, vhd, vhdx, iso and ova",
            image.file.name
        );
        Error::usage("usage.image", message)
    })?;
    Ok(if disk == "ova" { ("vmdk", "ova") } else { (disk, "bare") })
}

fn disk(word: &str) -> Option<&'static str> {
    Some(match word {
        "qcow2" => "qcow2",
        "raw" | "img" => "raw",
        "vmdk" => "vmdk",
        "vdi" => "vdi",
        "vhd" | "vpc" => "vhd",
        "vhdx" => "vhdx",
        "iso" => "iso",
        "ova" => "ova",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::File;

    #[test]
    fn the_builders_word_goes_before_the_files_name() {
        let image = |format: &str, name: &str| {
            let [template, architecture] = ["web", "x86_64"].map(str::to_owned);
            let (sha256, media_type) = (String::new(), String::new());
            let file = File { name: name.to_owned(), size: 1, sha256, media_type };
            Image { name: template, architecture, build: 1, format: format.to_owned(), file }
        };
        assert_eq!(of(&image("vpc", "web.img")).unwrap(), ("vhd", "bare"));
        assert_eq!(of(&image("", "web.QCOW2")).unwrap(), ("qcow2", "bare"));
        assert_eq!(of(&image("ova", "web.ova")).unwrap(), ("vmdk", "ova"));
        assert_eq!(of(&image("oci-archive", "web.oci.tar")).unwrap_err().code(), "usage.image");
    }
}
