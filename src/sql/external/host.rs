//! Hosts as they stand in URIs: read so that what is judged is what Druid would connect to, or not read.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest name that DNS knows (RFC 1035, section 2.3.4).
const MAX_NAME_BYTES: usize = 253;

/// The longest of its labels.
const MAX_LABEL_BYTES: usize = 63;

/// Names that machines have for themselves, and names under which clouds tell a machine its secrets. All that ends in
/// `.localhost` is one too (RFC 6761, section 6.3).
const INNER_NAMES: [&str; 13] = [
    "instance-data",
    "instance-data.ec2.internal",
    "ip6-localhost",
    "ip6-loopback",
    "localhost",
    "localhost.localdomain",
    "localhost4",
    "localhost4.localdomain4",
    "localhost6",
    "localhost6.localdomain6",
    "metadata",
    "metadata.goog",
    "metadata.google.internal",
];

/// Where clouds tell a machine its secrets, besides what is link-local: Alibaba, Azure, Oracle.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];

/// The same by IPv6: Google, Oracle, Scaleway. All of Amazon's begin with `fd00:ec2:`.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
];

/// Where a connection goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// To this address.
    Address(IpAddr),
    /// To what this name resolves to; in lower case.
    Name(String),
}

/// As a URI has it: one spelling for each address.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Host {
    /// Reads a host. Of the many spellings of an IPv4 address only the common one is taken: Java, C and browsers each
    /// read the others in their own way.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address = inner.parse::<Ipv6Addr>();
            return address.map(|address| Self::Address(address.into())).map_err(|_| "an odd IPv6 address");
        }
        let labels = || text.split('.');
        if text.len() > MAX_NAME_BYTES || !labels().all(is_label) {
            return Err("an odd host: letters, digits, `-`, `_` and single dots are taken");
        }
        if labels().next_back().is_some_and(is_number) {
            let address = text.parse::<Ipv4Addr>();
            return address
                .map(|address| Self::Address(address.into()))
                .map_err(|_| "a number as a host: four decimal numbers without leading zeros are taken");
        }
        Ok(Self::Name(text.to_ascii_lowercase()))
    }

    /// Whether it is, by itself and without asking DNS, the machine that connects, its link, or where a cloud tells a
    /// machine its secrets.
    pub(super) fn is_inner(&self) -> bool {
        match self {
            Self::Address(IpAddr::V4(address)) => is_inner_v4(*address),
            Self::Address(IpAddr::V6(address)) => is_inner_v6(*address),
            Self::Name(name) => INNER_NAMES.contains(&name.as_str()) || name.ends_with(".localhost"),
        }
    }
}

fn is_label(label: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let bounded = (1..=MAX_LABEL_BYTES).contains(&label.len());
    bounded && label.bytes().all(is_inside) && !label.starts_with('-') && !label.ends_with('-')
}

/// Whether a host that ends in this label is an address to some reader (WHATWG URL, "ends in a number").
fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    label.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_inner_v4(address: Ipv4Addr) -> bool {
    // 0.0.0.0/8 is this machine (RFC 1122, section 3.2.1.3).
    let is_this_machine = address.is_loopback() || address.octets().first() == Some(&0);
    is_this_machine || address.is_link_local() || METADATA_V4.contains(&address)
}

fn is_inner_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| is_inner_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match (a, b, c, d, e, f) {
        // Loopback and unspecified are IPv4-compatible too.
        (0, 0, 0, 0, 0, 0) => v4(g, h),
        // IPv4-mapped, and IPv4-translated (RFC 2765, section 2.1).
        (0, 0, 0, 0, 0, 0xffff) | (0, 0, 0, 0, 0xffff, 0) => v4(g, h),
        // NAT64 (RFC 6052, section 2.1), and the prefix in which each network has it its own way (RFC 8215).
        (0x64, 0xff9b, 0, 0, 0, 0) => v4(g, h),
        (0x64, 0xff9b, 1, _, _, _) => true,
        // 6to4 (RFC 3056, section 2), Teredo (RFC 4380, section 4).
        (0x2002, high, low, _, _, _) => v4(high, low),
        (0x2001, 0, _, _, _, _) => v4(!g, !h),
        // What Amazon tells its machines.
        (0xfd00, 0xec2, _, _, _, _) => true,
        // Link-local (RFC 4291, section 2.5.6).
        (0xfe80..=0xfebf, _, _, _, _, _) => true,
        // ISATAP (RFC 5214, section 6.1).
        (_, _, _, _, 0 | 0x200, 0x5efe) => v4(g, h),
        _ => METADATA_V6.contains(&address),
    }
}
