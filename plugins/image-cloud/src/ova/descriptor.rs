//! The descriptor of an appliance. Source: DMTF DSP0243, Open Virtualization Format 1.1; numbers of resources and
//! operating systems: the CIM schema (`CIM_ResourceAllocationSettingData`, `CIM_OperatingSystem`).

use std::fmt::Write as _;

/// A machine.
pub(super) struct Machine {
    pub(super) name: String,
    pub(super) description: String,
    /// The operating system's name, as recipes have it.
    pub(super) os: String,
    /// As the kernel calls it.
    pub(super) architecture: String,
    pub(super) uefi: bool,
    pub(super) cpus: u32,
    pub(super) memory_mb: u32,
    pub(super) disk: Disk,
    pub(super) product: Product,
}

/// Its disk.
pub(super) struct Disk {
    pub(super) name: String,
    /// Of the file.
    pub(super) bytes: u64,
    /// As its guest sees it, in bytes.
    pub(super) capacity: u64,
}

/// What it is sold as; nothing is said of what is empty.
pub(super) struct Product {
    pub(super) name: String,
    pub(super) vendor: String,
    pub(super) version: String,
}

const ENVELOPE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData" xmlns:vmw="http://www.vmware.com/schema/ovf">
"#;
const VMDK: &str = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized";

/// A part of the machine, with the elements that differ; in the order of their names, as the schema wants it.
struct Item<'a> {
    elements: &'a [(&'a str, &'a str)],
}

impl Machine {
    /// The descriptor.
    pub(super) fn descriptor(&self) -> String {
        let mut text = ENVELOPE.to_owned();
        text.push_str(&self.files());
        text.push_str(&self.system());
        text.push_str("</Envelope>\n");
        text
    }

    fn files(&self) -> String {
        let Disk { name, bytes, capacity } = &self.disk;
        let name = escaped(name);
        format!(
            r#"  <References>
    <File ovf:href="{name}" ovf:id="file1" ovf:size="{bytes}"/>
  </References>
  <DiskSection>
    <Info>The disk</Info>
    <Disk ovf:capacity="{capacity}" ovf:capacityAllocationUnits="byte" ovf:diskId="disk1" ovf:fileRef="file1" ovf:format="{VMDK}"/>
  </DiskSection>
  <NetworkSection>
    <Info>The network</Info>
    <Network ovf:name="VM Network">
      <Description>The network of the machine</Description>
    </Network>
  </NetworkSection>
"#
        )
    }

    fn system(&self) -> String {
        let (name, description) = (escaped(&self.name), escaped(&self.description));
        let (number, guest) = self.operating_system();
        let mut text = format!(
            r#"  <VirtualSystem ovf:id="{name}">
    <Info>{description}</Info>
    <Name>{name}</Name>
    <OperatingSystemSection ovf:id="{number}" vmw:osType="{guest}">
      <Info>The operating system</Info>
    </OperatingSystemSection>
"#
        );
        text.push_str(&self.product.section());
        text.push_str(&self.hardware());
        text.push_str("  </VirtualSystem>\n");
        text
    }

    /// The number of the operating system, and VMware's word for it.
    fn operating_system(&self) -> (u8, &'static str) {
        let os = self.os.to_ascii_lowercase();
        let is_32 = ["i386", "i486", "i586", "i686"].contains(&self.architecture.as_str());
        match (os.as_str(), is_32) {
            ("debian", false) => (96, "debian10_64Guest"),
            ("debian", true) => (95, "debian10Guest"),
            ("ubuntu", false) => (94, "ubuntu64Guest"),
            ("ubuntu", true) => (93, "ubuntuGuest"),
            (_, false) => (101, "otherLinux64Guest"),
            (_, true) => (36, "otherLinuxGuest"),
        }
    }

    fn hardware(&self) -> String {
        let name = escaped(&self.name);
        let (cpus, memory) = (self.cpus.to_string(), self.memory_mb.to_string());
        let (cpu_name, memory_name) =
            (format!("{cpus} processors"), format!("{memory} MB of memory"));
        let mut text = format!(
            r"    <VirtualHardwareSection>
      <Info>The hardware</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>{name}</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-10</vssd:VirtualSystemType>
      </System>
"
        );
        let items: [&[(&str, &str)]; 5] = [
            &[
                ("AllocationUnits", "hertz * 10^6"),
                ("ElementName", &cpu_name),
                ("InstanceID", "1"),
                ("ResourceType", "3"),
                ("VirtualQuantity", &cpus),
            ],
            &[
                ("AllocationUnits", "byte * 2^20"),
                ("ElementName", &memory_name),
                ("InstanceID", "2"),
                ("ResourceType", "4"),
                ("VirtualQuantity", &memory),
            ],
            &[
                ("Address", "0"),
                ("ElementName", "SCSI controller"),
                ("InstanceID", "3"),
                ("ResourceSubType", "lsilogic"),
                ("ResourceType", "6"),
            ],
            &[
                ("AddressOnParent", "0"),
                ("ElementName", "Disk"),
                ("HostResource", "ovf:/disk/disk1"),
                ("InstanceID", "4"),
                ("Parent", "3"),
                ("ResourceType", "17"),
            ],
            &[
                ("AddressOnParent", "7"),
                ("AutomaticAllocation", "true"),
                ("Connection", "VM Network"),
                ("ElementName", "Network adapter"),
                ("InstanceID", "5"),
                ("ResourceSubType", "VmxNet3"),
                ("ResourceType", "10"),
            ],
        ];
        for elements in items {
            text.push_str(&Item { elements }.text());
        }
        if self.uefi {
            text.push_str("      <vmw:Config ovf:required=\"false\" vmw:key=\"firmware\" vmw:value=\"efi\"/>\n");
        }
        text.push_str("    </VirtualHardwareSection>\n");
        text
    }
}

impl Product {
    fn section(&self) -> String {
        let fields =
            [("Product", &self.name), ("Vendor", &self.vendor), ("Version", &self.version)];
        let mut inner = String::new();
        for (name, value) in fields.into_iter().filter(|(_name, value)| !value.is_empty()) {
            // Writing to a text cannot fail.
            writeln!(inner, "      <{name}>{}</{name}>", escaped(value)).ok();
        }
        if inner.is_empty() {
            return inner;
        }
        format!(
            "    <ProductSection>\n      <Info>The product</Info>\n{inner}    </ProductSection>\n"
        )
    }
}

impl Item<'_> {
    fn text(&self) -> String {
        let mut text = "      <Item>\n".to_owned();
        for (name, value) in self.elements {
            // Writing to a text cannot fail.
            writeln!(text, "        <rasd:{name}>{}</rasd:{name}>", escaped(value)).ok();
        }
        text.push_str("      </Item>\n");
        text
    }
}

/// A text as XML has it; what XML cannot hold at all is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars().filter(|c| !c.is_control() || *c == '\n' || *c == '\t') {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_the_descriptor() {
        let machine = Machine {
            name: "a\"/><b>&\u{7}".to_owned(),
            description: "</Info>".to_owned(),
            os: "Debian".to_owned(),
            architecture: "x86_64".to_owned(),
            uefi: true,
            cpus: 2,
            memory_mb: 512,
            disk: Disk { name: "x.vmdk".to_owned(), bytes: 5, capacity: 1 << 20 },
            product: Product {
                name: "<p>".to_owned(),
                vendor: String::new(),
                version: "1".to_owned(),
            },
        };
        let text = machine.descriptor();
        assert!(text.contains("<Name>a&quot;/&gt;&lt;b&gt;&amp;</Name>"), "{text}");
        assert!(text.contains("<Info>&lt;/Info&gt;</Info>"), "{text}");
        assert!(text.contains("<Product>&lt;p&gt;</Product>"), "{text}");
        assert!(!text.contains("Vendor"), "{text}");
        assert!(text.contains(r#"vmw:key="firmware" vmw:value="efi""#), "{text}");
        assert!(text.contains(r#"ovf:capacity="1048576""#), "{text}");
    }
}
