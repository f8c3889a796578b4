//! The bytes of a `.mxr` file: magic, version, content, checksum.

use crate::before::TxBefore;
use types::{
    ChainId, Hash, JobId, List, Proved, Tx, Wire,
    codec::{DecodeExt, Encode},
    network::NetworkKeys,
    state::{JobRecord, Key},
};

/// What every receipt starts with; the last byte is the version of those that are written now.
pub const MAGIC: [u8; 4] = *b"MXR\x02";
/// The version whose reveals are [`TxBefore`]s.
const BEFORE: u8 = 1;
/// Largest receipt that is read.
pub const RECEIPT_BYTES_MAX: usize = 2 << 20;

/// A settled job with everything needed to check it offline.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub reveals: Reveals,
}

/// Signed reveals, in the form in which they were signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reveals {
    /// Version 2.
    Now(List<Tx, 16>),
    /// Version 1.
    Before(List<TxBefore, 16>),
}

/// A file's content.
#[derive(Wire)]
struct Content {
    network_keys: NetworkKeys,
    chain: ChainId,
    job: JobId,
    proved: Proved<JobRecord>,
    reveals: List<Tx, 16>,
}

/// The same in version 1.
#[derive(Wire)]
struct ContentBefore {
    network_keys: NetworkKeys,
    chain: ChainId,
    job: JobId,
    proved: Proved<JobRecord>,
    reveals: List<TxBefore, 16>,
}

/// A file that is no receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Unreadable {
    #[error("not a receipt: it does not start with MXR")]
    NotAReceipt,
    #[error("receipt version {0}; this program reads versions 1 and 2")]
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
        let Self { network_keys, chain, job, proved, reveals } = self.clone();
        match reveals {
            Reveals::Now(reveals) => {
                let content = Content { network_keys, chain, job, proved, reveals };
                bytes.extend_from_slice(&content.encode());
            }
            Reveals::Before(reveals) => {
                bytes[3] = BEFORE;
                let content = ContentBefore { network_keys, chain, job, proved, reveals };
                bytes.extend_from_slice(&content.encode());
            }
        }
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
        if ![BEFORE, MAGIC[3]].contains(version) {
            return Err(Unreadable::Version(*version));
        }
        let content = content.len().checked_sub(32).map(|end| &content[..end]);
        let content = content.ok_or_else(|| Unreadable::Malformed("too short".into()))?;
        let malformed = |error: types::codec::Error| Unreadable::Malformed(error.to_string());
        if *version == BEFORE {
            let content = ContentBefore::decode(content.to_vec()).map_err(malformed)?;
            let ContentBefore { network_keys, chain, job, proved, reveals } = content;
            return Ok(Self {
                network_keys,
                chain,
                job,
                proved,
                reveals: Reveals::Before(reveals),
            });
        }
        let content = Content::decode(content.to_vec()).map_err(malformed)?;
        let Content { network_keys, chain, job, proved, reveals } = content;
        Ok(Self { network_keys, chain, job, proved, reveals: Reveals::Now(reveals) })
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
