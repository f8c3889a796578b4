//! Strict readers: DER as ITU-T X.690 demands it, CBOR to the last byte.

use serde::de::DeserializeOwned;

use crate::Reject;

/// One DER element: class (0 universal, 2 context), tag number and contents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub class: u8,
    /// Does it consist of elements?
    pub constructed: bool,
    pub tag: u32,
    pub contents: &'a [u8],
    /// Tag, length and contents as they stand.
    pub raw: &'a [u8],
}

pub(crate) const BOOLEAN: u32 = 1;
pub(crate) const INTEGER: u32 = 2;
pub(crate) const BIT_STRING: u32 = 3;
pub(crate) const OCTET_STRING: u32 = 4;
pub(crate) const OBJECT_IDENTIFIER: u32 = 6;
pub(crate) const ENUMERATED: u32 = 10;
pub(crate) const SEQUENCE: u32 = 16;
pub(crate) const SET: u32 = 17;

/// Reads elements off the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { bytes, what }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Result<(), Reject> {
        if self.bytes.is_empty() { Ok(()) } else { Err(self.bad("bytes follow its end")) }
    }

    /// The next element. Tags and lengths must be in their shortest form; contents may be up to
    /// 65,535 bytes.
    pub(crate) fn element(&mut self) -> Result<Element<'a>, Reject> {
        let start = self.bytes;
        let first = self.byte()?;
        let mut tag = u32::from(first & 0x1f);
        if tag == 0x1f {
            tag = 0;
            loop {
                let byte = self.byte()?;
                if tag == 0 && byte == 0x80 || tag > 0x1ff_ffff {
                    return Err(self.bad("a tag is not in its shortest form"));
                }
                tag = tag << 7 | u32::from(byte & 0x7f);
                if byte & 0x80 == 0 {
                    break;
                }
            }
            if tag < 0x1f {
                return Err(self.bad("a tag is not in its shortest form"));
            }
        }
        let length = match self.byte()? {
            short @ 0..=0x7f => usize::from(short),
            0x81 => match self.byte()? {
                length @ 0x80.. => usize::from(length),
                _ => return Err(self.bad("a length is not in its shortest form")),
            },
            0x82 => match (self.byte()?, self.byte()?) {
                (0, _) => return Err(self.bad("a length is not in its shortest form")),
                (high, low) => usize::from(high) << 8 | usize::from(low),
            },
            _ => return Err(self.bad("a length is indefinite or too long")),
        };
        if length > self.bytes.len() {
            return Err(self.bad("it is cut short"));
        }
        let (contents, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        let raw = &start[..start.len() - rest.len()];
        Ok(Element { class: first >> 6, constructed: first & 0x20 != 0, tag, contents, raw })
    }

    /// Contents of the next element, which must be universal with this tag.
    pub(crate) fn universal(&mut self, tag: u32) -> Result<&'a [u8], Reject> {
        let element = self.element()?;
        let constructed = matches!(tag, SEQUENCE | SET);
        if (element.class, element.tag, element.constructed) != (0, tag, constructed) {
            return Err(self.bad("an element has another type than expected"));
        }
        Ok(element.contents)
    }

    /// The inside of the next element, which must be universal with this tag.
    pub(crate) fn inside(&mut self, tag: u32) -> Result<Reader<'a>, Reject> {
        Ok(Reader { bytes: self.universal(tag)?, what: self.what })
    }

    pub(crate) fn integer(&mut self) -> Result<u64, Reject> {
        let contents = self.universal(INTEGER)?;
        self.number(contents)
    }

    pub(crate) fn enumerated(&mut self) -> Result<u64, Reject> {
        let contents = self.universal(ENUMERATED)?;
        self.number(contents)
    }

    pub(crate) fn boolean(&mut self) -> Result<bool, Reject> {
        match self.universal(BOOLEAN)? {
            [0] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(self.bad("a BOOLEAN is neither 00 nor FF")),
        }
    }

    /// A non-negative number below 2^64, in its shortest form.
    fn number(&self, contents: &[u8]) -> Result<u64, Reject> {
        let shortest = match contents {
            [] => false,
            [first, ..] if first & 0x80 != 0 => false,
            [0, second, ..] => second & 0x80 != 0,
            _ => true,
        };
        if !shortest || contents.len() > 9 || (contents.len() == 9 && contents[0] != 0) {
            return Err(self.bad("an INTEGER is negative, too large or not in its shortest form"));
        }
        Ok(contents.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    fn byte(&mut self) -> Result<u8, Reject> {
        let (first, rest) = self.bytes.split_first().ok_or_else(|| self.bad("it is cut short"))?;
        self.bytes = rest;
        Ok(*first)
    }

    fn bad(&self, why: &str) -> Reject {
        Reject::malformed(self.what, why)
    }
}

/// Deserialise CBOR that ends where `bytes` end.
pub(crate) fn cbor_to_the_end<T: DeserializeOwned>(
    bytes: &[u8],
    bytes_max: usize,
    what: &'static str,
) -> Result<T, Reject> {
    if bytes.len() > bytes_max {
        return Err(Reject::malformed(what, format!("longer than {bytes_max} bytes")));
    }
    let mut rest = bytes;
    let value = ciborium::from_reader(&mut rest)
        .map_err(|error| Reject::malformed(what, format!("CBOR: {error}")))?;
    if !rest.is_empty() {
        return Err(Reject::malformed(what, "bytes follow its end"));
    }
    Ok(value)
}
