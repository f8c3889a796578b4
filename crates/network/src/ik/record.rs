//! Records: what is sent once keys are agreed on. `u16 length (big-endian) ‖ ciphertext ‖ tag`, at most 65,535 bytes
//! after the length.
//!
//! An empty record changes the key of its direction (`REKEY`, section 11.3 of the Noise specification): a thief
//! of the present key reads nothing that was sent before. The first record of the side that dialled is empty,
//! too: it confirms the handshake.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use std::time::Duration;
use zeroize::Zeroizing;

/// Bytes of a tag.
const TAG: usize = 16;
/// Bytes of a record's length.
pub(crate) const HEADER: usize = 2;
/// Most bytes of a record after its length.
pub const RECORD_MAX: usize = 65_535;
/// Most bytes of plaintext in one record.
pub const RECORD_PLAIN_MAX: usize = RECORD_MAX - TAG;
/// A key encrypts this many bytes, then the next one follows.
const BYTES_PER_KEY: u64 = 64 << 20;
/// And this long, if anything is sent at all: the side with a clock sees to it.
pub(crate) const KEY_LIFETIME: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum RecordError {
    #[error("a record was changed, lost or repeated, or does not come from the peer")]
    NotOpened,
    #[error("a record is shorter than its tag")]
    Short,
    #[error("the peer sends before it has confirmed the handshake")]
    Unconfirmed,
}

/// One direction's key and how often it was used.
struct Key {
    key: LessSafeKey,
    used: u64,
}

impl Key {
    fn new(secret: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, secret).expect("a key of 32 bytes");
        Self { key: LessSafeKey::new(key), used: 0 }
    }

    /// The next nonce. A key's 2^64 - 1 nonces outlast any connection: 64 MiB are at most 2^26 records.
    fn nonce(&mut self) -> Nonce {
        let nonce = nonce(self.used);
        self.used += 1;
        nonce
    }

    /// Section 11.3: 32 zeros, encrypted under the last nonce there is. The count goes on.
    fn change(&mut self) {
        let mut next = Zeroizing::new([0; 32]);
        // The tag is what Noise cuts off.
        let _tag = self
            .key
            .seal_in_place_separate_tag(nonce(u64::MAX), Aad::empty(), &mut *next)
            .expect("32 bytes are not too many");
        let used = self.used;
        *self = Self { used, ..Self::new(&next) };
    }
}

fn nonce(count: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&count.to_le_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// Encrypts one direction.
pub struct Sealer {
    key: Key,
    sealed: u64,
}

impl Sealer {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self { key: Key::new(secret), sealed: 0 }
    }

    /// Append a record of `plain` to `out`.
    ///
    /// # Panics
    /// If `plain` is longer than [`RECORD_PLAIN_MAX`].
    pub fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        let start = Self::begin(out);
        out.extend_from_slice(plain);
        self.close(out, start);
    }

    /// Begin a record at the end of `out`; plaintext is appended to `out` until [`Self::close`].
    pub(crate) fn begin(out: &mut Vec<u8>) -> usize {
        out.extend_from_slice(&[0; HEADER]);
        out.len() - HEADER
    }

    /// Encrypt what was appended to `out` since [`Self::begin`] gave `start`, in place.
    pub(crate) fn close(&mut self, out: &mut Vec<u8>, start: usize) {
        let plain = &mut out[start + HEADER..];
        assert!(plain.len() <= RECORD_PLAIN_MAX, "a record of {} bytes", plain.len());
        self.sealed += plain.len() as u64;
        let length = u16::try_from(plain.len() + TAG).expect("checked above");
        let nonce = self.key.nonce();
        let tag = self
            .key
            .key
            .seal_in_place_separate_tag(nonce, Aad::empty(), plain)
            .expect("a record is not too long");
        let empty = plain.is_empty();
        out.extend_from_slice(tag.as_ref());
        out[start..start + HEADER].copy_from_slice(&length.to_be_bytes());
        if empty {
            self.key.change();
            self.sealed = 0;
        } else if self.sealed >= BYTES_PER_KEY {
            self.change_key(out);
        }
    }

    /// Append the record after which a new key follows. Besides by bytes, the side with a clock does this by time.
    pub fn change_key(&mut self, out: &mut Vec<u8>) {
        self.seal(&[], out);
    }
}

/// Decrypts one direction.
pub struct Opener {
    key: Key,
}

impl Opener {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self { key: Key::new(secret) }
    }

    /// The plaintext of `record`, which comes without its length. Empty where the peer changed its key.
    ///
    /// # Errors
    /// [`RecordError`]; the connection is of no use after it.
    pub fn open<'a>(&mut self, record: &'a mut [u8]) -> Result<&'a mut [u8], RecordError> {
        if record.len() < TAG {
            return Err(RecordError::Short);
        }
        let nonce = self.key.nonce();
        let plain = self
            .key
            .key
            .open_in_place(nonce, Aad::empty(), record)
            .map_err(|_| RecordError::NotOpened)?;
        if plain.is_empty() {
            self.key.change();
        }
        Ok(plain)
    }

    /// Read the record that confirms a handshake.
    ///
    /// # Errors
    /// [`RecordError`]: it does not open, or it carries something already.
    pub fn confirm(&mut self, record: &mut [u8]) -> Result<(), RecordError> {
        if self.open(record)?.is_empty() { Ok(()) } else { Err(RecordError::Unconfirmed) }
    }
}
