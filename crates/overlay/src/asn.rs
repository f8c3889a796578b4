//! Which autonomous system an address belongs to, as a table says that its operator brings: there is no authority to
//! ask, and a node without a table knows nothing.

use std::{
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

/// Most lines of a table: the internet has about a million routes.
const LINES_MAX: usize = 2_000_000;

/// Ranges of addresses that do not overlap, ascending; IPv4 as it stands within IPv6.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AsnTable(Vec<Range>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    first: u128,
    last: u128,
    asn: u32,
}

/// Why a table cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadAsnTable {
    #[error("line {0} is neither FIRST LAST ASN nor PREFIX/LENGTH ASN, such as 192.0.2.0/24 64500")]
    Line(usize),
    #[error("line {0} repeats addresses of another line")]
    Overlap(usize),
    #[error("the table has more than {LINES_MAX} lines")]
    Size,
}

impl AsnTable {
    /// The system that `ip` belongs to, where that is known.
    #[must_use]
    pub fn of(&self, ip: IpAddr) -> Option<u32> {
        let ip = number(ip);
        let after = self.0.partition_point(|range| range.first <= ip);
        let range = self.0.get(after.checked_sub(1)?)?;
        (ip <= range.last && range.asn != 0).then_some(range.asn)
    }

    /// How many ranges the table has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether the table knows no address at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Lines of `FIRST LAST ASN` or `PREFIX/LENGTH ASN`; what comes after that, and lines that begin with #, are not read.
impl FromStr for AsnTable {
    type Err = BadAsnTable;

    fn from_str(text: &str) -> Result<Self, BadAsnTable> {
        let mut ranges = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if index >= LINES_MAX {
                return Err(BadAsnTable::Size);
            }
            if !line.trim().is_empty() && !line.starts_with('#') {
                ranges.push((range(line).ok_or(BadAsnTable::Line(index + 1))?, index + 1));
            }
        }
        ranges.sort_unstable();
        for pair in ranges.windows(2) {
            if pair[1].0.first <= pair[0].0.last {
                return Err(BadAsnTable::Overlap(pair[0].1.max(pair[1].1)));
            }
        }
        Ok(Self(ranges.into_iter().map(|(range, _)| range).collect()))
    }
}

fn range(line: &str) -> Option<Range> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    let (first, last) = match first.split_once('/') {
        Some((ip, length)) => {
            let ip: IpAddr = ip.parse().ok()?;
            let bits = if ip.is_ipv4() { 32 } else { 128 };
            let free = u32::checked_sub(bits, length.parse().ok()?)?;
            let mask = 1_u128.checked_shl(free).map_or(u128::MAX, |size| size - 1);
            let first = number(ip);
            // Bits beyond the prefix are a mistake in the line, and not a range.
            if first & mask != 0 {
                return None;
            }
            (first, first | mask)
        }
        None => {
            let (first, last): (IpAddr, IpAddr) =
                (first.parse().ok()?, words.next()?.parse().ok()?);
            if first.is_ipv4() != last.is_ipv4() {
                return None;
            }
            (number(first), number(last))
        }
    };
    let asn = words.next()?.trim_start_matches("AS").parse().ok()?;
    (first <= last).then_some(Range { first, last, asn })
}

fn number(ip: IpAddr) -> u128 {
    let ip = match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    Ipv6Addr::to_bits(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_to_the_first_and_the_last() {
        let text = "# a comment\n2001:db8::/32 AS64502\n192.0.2.0\t192.0.2.127\t64500\tXX\tA provider\n192.0.2.128/25 64501\n198.51.100.0 198.51.100.255 0 none\n";
        let table: AsnTable = text.parse().unwrap();
        let of = |ip: &str| table.of(ip.parse().unwrap());
        assert_eq!(of("192.0.1.255"), None);
        assert_eq!((of("192.0.2.0"), of("192.0.2.127")), (Some(64_500), Some(64_500)));
        assert_eq!((of("192.0.2.128"), of("192.0.2.255")), (Some(64_501), Some(64_501)));
        assert_eq!(of("::ffff:192.0.2.9"), Some(64_500), "the same address, written otherwise");
        assert_eq!((of("192.0.3.0"), of("198.51.100.7")), (None, None));
        assert_eq!((of("2001:db8:ffff::1"), of("2001:db9::")), (Some(64_502), None));
        assert_eq!("".parse::<AsnTable>().unwrap().of("192.0.2.1".parse().unwrap()), None);
        let all: AsnTable = "::/0 7".parse().unwrap();
        assert_eq!(all.of("192.0.2.1".parse().unwrap()), Some(7));
    }

    #[test]
    fn a_table_that_is_not_one_says_where() {
        for line in [
            "192.0.2.0/24",
            "192.0.2.1/24 7",
            "192.0.2.0/33 7",
            "192.0.2.9 192.0.2.1 7",
            "192.0.2.1 2001:db8:: 7",
            "a b c",
            "192.0.2.0/24 -1",
            "192.0.2.0/24 4294967296",
        ] {
            let table = format!("203.0.113.0/24 1\n{line}\n").parse::<AsnTable>();
            assert_eq!(table, Err(BadAsnTable::Line(2)), "{line}");
        }
        let twice = "192.0.2.0/24 1\n203.0.113.0/24 2\n192.0.0.0/16 3\n".parse::<AsnTable>();
        assert_eq!(twice, Err(BadAsnTable::Overlap(3)));
    }
}
