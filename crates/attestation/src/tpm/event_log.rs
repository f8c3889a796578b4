//! The TCG event log: what was measured, in order. Replayed, it must give the quoted registers.
//!
//! ```text
//! TCG_PCR_EVENT   pcr u32 ‖ type u32 ‖ SHA-1 20 ‖ size u32 ‖ TCG_EfiSpecIdEvent     (the first)
//! TCG_PCR_EVENT2  pcr u32 ‖ type u32 ‖ count u32 ‖ (algorithm u16 ‖ digest)* ‖ size u32 ‖ data
//! ```
//! Numbers are little-endian. Source: TCG *PC Client Platform Firmware Profile* §10.2.

use std::collections::BTreeMap;

use ring::digest;
use serde_bytes::ByteBuf;

use super::quote::Bank;
use crate::Reject;

const EV_NO_ACTION: u32 = 3;
const SIGNATURE: &[u8; 16] = b"Spec ID Event03\0";
/// Most events; real logs have a few hundred.
const EVENTS_MAX: u32 = 4_096;
const REGISTERS: u32 = 24;

/// Replay the log into `bank`, and compare every register that it touches and the quote selects.
/// Returns the number of events in those registers: of events in others, nothing is known. What an
/// event's data say is not compared with its digest either; how they relate depends on its type.
pub(super) fn replay(
    log: &[u8],
    bank: Bank,
    selection: &[u8],
    values: &BTreeMap<u8, ByteBuf>,
) -> Result<u32, Reject> {
    let algorithm = match bank {
        Bank::Sha256 => &digest::SHA256,
        Bank::Sha384 => &digest::SHA384,
        Bank::Sha512 => &digest::SHA512,
        Bank::Sha1 => {
            return Err(Reject::Unsupported { what: "event log", found: "the SHA-1 bank".into() });
        }
    };
    let mut reader = Reader(log);
    let sizes = header(&mut reader)?;
    let mut registers: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    let (mut events, mut quoted) = (0, 0);
    while !reader.0.is_empty() {
        let event = Event::parse(&mut reader, &sizes, bank)?;
        if event.kind == EV_NO_ACTION {
            // The one that matters: the locality that PCR 0 was started from is its first value.
            if event.register == 0
                && let Some(locality) = event.startup_locality()
            {
                let mut value = vec![0; bank.length()];
                if let Some(last) = value.last_mut() {
                    *last = locality;
                }
                registers.entry(0).or_insert(value);
            }
            continue;
        }
        events += 1;
        if events > EVENTS_MAX {
            return Err(malformed("it has too many events"));
        }
        quoted += u32::from(selection.iter().any(|index| u32::from(*index) == event.register));
        let measured =
            event.digest.ok_or_else(|| malformed("an event has no digest for the quoted bank"))?;
        let value = registers.entry(event.register).or_insert_with(|| vec![0; bank.length()]);
        let mut hash = digest::Context::new(algorithm);
        hash.update(value);
        hash.update(measured);
        *value = hash.finish().as_ref().to_vec();
    }
    for index in selection {
        if let Some(value) = registers.get(&u32::from(*index))
            && values.get(index).is_none_or(|quoted| quoted.as_slice() != value)
        {
            return Err(Reject::Mismatch { what: "the event log", other: "the quoted registers" });
        }
    }
    Ok(quoted)
}

/// The first event names the algorithms and their lengths.
fn header(reader: &mut Reader<'_>) -> Result<BTreeMap<u16, usize>, Reject> {
    let (register, kind) = (reader.u32()?, reader.u32()?);
    let _sha1 = reader.take(20)?;
    let length = reader.length()?;
    let mut event = Reader(reader.take(length)?);
    if (register, kind) != (0, EV_NO_ACTION) || event.take(16)? != SIGNATURE {
        return Err(malformed("it is not in the crypto-agile form"));
    }
    let _platform_class = event.u32()?;
    let _versions_and_uintn_size = event.take(4)?;
    let count = event.u32()?;
    if count == 0 || count > 8 {
        return Err(malformed("it names no algorithms, or too many"));
    }
    let mut sizes = BTreeMap::new();
    for _ in 0..count {
        let (algorithm, size) = (event.u16()?, event.u16()?);
        if Bank::of(algorithm).is_some_and(|bank| bank.length() != usize::from(size)) {
            return Err(malformed("it names a wrong length for an algorithm"));
        }
        if sizes.insert(algorithm, usize::from(size)).is_some() {
            return Err(malformed("it names an algorithm twice"));
        }
    }
    let vendor_information = event.take(1)?[0];
    event.take(usize::from(vendor_information))?;
    if !event.0.is_empty() {
        return Err(malformed("bytes follow the header's end"));
    }
    Ok(sizes)
}

struct Event<'a> {
    register: u32,
    kind: u32,
    digest: Option<&'a [u8]>,
    data: &'a [u8],
}

impl<'a> Event<'a> {
    fn parse(
        reader: &mut Reader<'a>,
        sizes: &BTreeMap<u16, usize>,
        bank: Bank,
    ) -> Result<Self, Reject> {
        let (register, kind) = (reader.u32()?, reader.u32()?);
        if register >= REGISTERS && kind != EV_NO_ACTION {
            return Err(malformed("an event is of a register that does not exist"));
        }
        let count = reader.u32()?;
        if count > 8 {
            return Err(malformed("an event has too many digests"));
        }
        let mut digest = None;
        for _ in 0..count {
            let algorithm = reader.u16()?;
            let size = sizes
                .get(&algorithm)
                .ok_or_else(|| malformed("an event uses an algorithm the header does not name"))?;
            let value = reader.take(*size)?;
            if Bank::of(algorithm) == Some(bank)
                && (digest.replace(value).is_some() || value.len() != bank.length())
            {
                return Err(malformed("an event's digest appears twice or has a wrong length"));
            }
        }
        let length = reader.length()?;
        let data = reader.take(length)?;
        Ok(Self { register, kind, digest, data })
    }

    /// `StartupLocality\0` and the locality.
    fn startup_locality(&self) -> Option<u8> {
        match self.data.strip_prefix(b"StartupLocality\0") {
            Some([locality]) => Some(*locality),
            _ => None,
        }
    }
}

/// Reads little-endian numbers off the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Reject> {
        let (head, rest) =
            self.0.split_at_checked(length).ok_or_else(|| malformed("it is cut short"))?;
        self.0 = rest;
        Ok(head)
    }

    fn u16(&mut self) -> Result<u16, Reject> {
        Ok(u16::from_le_bytes(self.take(2)?.try_into().expect("two bytes")))
    }

    fn u32(&mut self) -> Result<u32, Reject> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().expect("four bytes")))
    }

    /// A length that what is left has room for.
    fn length(&mut self) -> Result<usize, Reject> {
        usize::try_from(self.u32()?).map_err(|_| malformed("a length is too large"))
    }
}

fn malformed(why: &str) -> Reject {
    Reject::malformed("event log", why)
}
