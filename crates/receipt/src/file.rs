//! The bytes of a `.mxr` file: magic, version, content, checksum.

use types::{
    ChainId, Hash, JobId, List, Proved, Tx, Wire,
    codec::{DecodeExt, Encode},
    network::NetworkKeys,
    state::{JobRecord, Key},
};

/// What every receipt starts with; the last byte is the version.
pub const MAGIC: [u8; 4] = *b"MXR\x01";
/// Largest receipt that is read.
pub const RECEIPT_BYTES_MAX: usize = 2 << 20;

/// A settled job with everything needed to check it offline.
#[derive(Clone, Debug, PartialEq, Eq, Wire)]
pub struct Receipt {
    /// The network it is of.
    pub network_keys: NetworkKeys,
    /// The chain that settled the job.
    pub chain: ChainId,
    /// Which job.
    pub job: JobId,
    /// The job's record, as it stands in the chain's state.
    pub proved: Proved<JobRecord>,
    /// The workers' signed reveals.
    pub reveals: List<Tx, 16>,
}

/// A file that is no receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Unreadable {
    #[error("not a receipt: it does not start with MXR")]
    NotAReceipt,
    #[error("receipt version {0}; this program reads version 1")]
    Version(u8),
    #[error("the receipt is longer than {RECEIPT_BYTES_MAX} bytes")]
    TooLong,
    #[error("the receipt is cut short or malformed: {0}")]
    Malformed(String),
    #[error("the receipt's content does not match its checksum")]
    Checksum,
}

fn checksum(content: &[u8]) -> Hash {
    Hash::of_content(content)
}

impl Receipt {
    /// The job as it was settled.
    pub const fn record(&self) -> &JobRecord {
        &self.proved.record
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.encode());
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum.0);
        bytes
    }

    /// Read a file's bytes. The checksum is told apart from the content ([`Self::intact`]), so that a
    /// verifier can say which check a change breaks.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() > RECEIPT_BYTES_MAX {
            return Err(Unreadable::TooLong);
        }
        let content = bytes.strip_prefix(&MAGIC[..3]).ok_or(Unreadable::NotAReceipt)?;
        let (version, content) = content.split_first().ok_or(Unreadable::NotAReceipt)?;
        if *version != MAGIC[3] {
            return Err(Unreadable::Version(*version));
        }
        let content = content.len().checked_sub(32).map(|end| &content[..end]);
        let content = content.ok_or_else(|| Unreadable::Malformed("too short".into()))?;
        Self::decode(content.to_vec()).map_err(|error| Unreadable::Malformed(error.to_string()))
    }

    /// Whether the file's last 32 bytes are the checksum of the rest.
    pub fn intact(bytes: &[u8]) -> bool {
        let Some(end) = bytes.len().checked_sub(32) else { return false };
        checksum(&bytes[..end]).0 == bytes[end..]
    }

    /// Where the record stands in the chain's state.
    pub fn key(&self) -> Key {
        Key::Job(self.job)
    }
}
