//! Commands and answers as the TPM reads and writes them: big-endian, sized.

use std::io::Read;

use crate::Failed;

const TAG_NO_SESSIONS: u16 = 0x8001;
const TAG_SESSIONS: u16 = 0x8002;
/// `TPM_RS_PW`: authorised by a password, here the empty one.
const PASSWORD: u32 = 0x4000_0009;
/// Longest answer, as in the kernel's driver.
const ANSWER_BYTES_MAX: usize = 4_096;
const HEADER_BYTES: usize = 10;

/// A command under construction: handles, authorisation, parameters.
pub(super) struct Command {
    name: &'static str,
    tag: u16,
    code: u32,
    body: Vec<u8>,
}

impl Command {
    pub(super) const fn new(name: &'static str, code: u32) -> Self {
        Self { name, tag: TAG_NO_SESSIONS, code, body: Vec::new() }
    }

    /// The first handle is used with its password, which is empty.
    pub(super) fn with_password(name: &'static str, code: u32, handles: &[u32]) -> Self {
        Self::with_sessions(name, code, handles, &[PASSWORD])
    }

    /// The first handle is used with its password, the second as the session's policy allows.
    pub(super) fn with_password_and_session(
        name: &'static str,
        code: u32,
        handles: &[u32],
        session: u32,
    ) -> Self {
        Self::with_sessions(name, code, handles, &[PASSWORD, session])
    }

    fn with_sessions(name: &'static str, code: u32, handles: &[u32], sessions: &[u32]) -> Self {
        let mut command = Self { tag: TAG_SESSIONS, ..Self::new(name, code) };
        for handle in handles {
            command = command.u32(*handle);
        }
        // Each: handle, empty nonce, no attributes, empty password or HMAC.
        let area: Vec<u8> = sessions
            .iter()
            .flat_map(|session| [&session.to_be_bytes()[..], &[0, 0, 0, 0, 0]].concat())
            .collect();
        let length = u32::try_from(area.len()).expect("two sessions are short");
        command.u32(length).bytes(&area)
    }

    pub(super) fn u16(self, number: u16) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(super) fn u32(self, number: u32) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.body.extend(bytes);
        self
    }

    /// A `TPM2B`. What is longer than its length field can say is cut; no caller has such.
    pub(super) fn sized(self, bytes: &[u8]) -> Self {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.u16(length).bytes(&bytes[..usize::from(length)])
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let length = u32::try_from(HEADER_BYTES + self.body.len()).expect("commands are short");
        [&self.tag.to_be_bytes()[..], &length.to_be_bytes(), &self.code.to_be_bytes(), &self.body]
            .concat()
    }
}

/// What the TPM answered, without the header.
pub(super) struct Answer {
    bytes: Vec<u8>,
    at: usize,
}

impl Answer {
    /// Read one answer off the transport.
    pub(super) fn read(transport: &mut impl Read, what: &'static str) -> Result<Self, Failed> {
        // The kernel's device gives an answer in one read, a socket in any pieces.
        let mut bytes = vec![0; ANSWER_BYTES_MAX];
        let mut have = 0;
        let length = loop {
            if have >= HEADER_BYTES {
                let length = u32::from_be_bytes([bytes[2], bytes[3], bytes[4], bytes[5]]) as usize;
                if !(HEADER_BYTES..=ANSWER_BYTES_MAX).contains(&length) {
                    return Err(Failed::Unreadable { what });
                }
                if have >= length {
                    break length;
                }
            }
            match transport.read(&mut bytes[have..]).map_err(Failed::io(what))? {
                0 => return Err(Failed::Unreadable { what }),
                more => have += more,
            }
        };
        bytes.truncate(length);
        let code = u32::from_be_bytes([bytes[6], bytes[7], bytes[8], bytes[9]]);
        if code != 0 {
            return Err(Failed::Refused { command: what, code });
        }
        Ok(Self { bytes, at: HEADER_BYTES })
    }

    /// Read a structure that is in memory.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), at: 0 }
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&[u8], Failed> {
        let end = self.at.saturating_add(length);
        let taken = self.bytes.get(self.at..end).ok_or(Failed::Unreadable { what: "the TPM" })?;
        self.at = end;
        Ok(taken)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Failed> {
        Ok(u16::from_be_bytes(self.take(2)?.try_into().expect("two bytes")))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Failed> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into().expect("four bytes")))
    }

    pub(super) fn sized(&mut self) -> Result<&[u8], Failed> {
        let length = usize::from(self.u16()?);
        self.take(length)
    }

    /// With sessions, the length of the parameters stands before them.
    pub(super) fn parameters(&mut self) -> Result<(), Failed> {
        self.u32().map(|_| ())
    }

    pub(super) fn rest(&self) -> Vec<u8> {
        self.bytes[self.at..].to_vec()
    }
}
