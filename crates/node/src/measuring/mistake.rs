//! Why nothing was measured.

use crate::BadFile;
use api::ClientError;
use client::{NotWritten, wallet::NoRandomness};
use std::{io, net::SocketAddr, path::PathBuf};
use types::{Place, presence::PRESENCE_CERTIFICATE_BYTES_MAX};

/// Why nothing was measured, or what was measured counts for nothing.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotMeasured {
    #[error("cannot read {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("cannot make {}", path.display())]
    NotMade { path: PathBuf, source: io::Error },
    #[error("{} is too long", .0.display())]
    TooLong(PathBuf),
    #[error("{} is not a list of witnesses\nhint: meshx presence deal makes one", path.display())]
    NoList { path: PathBuf, source: serde_json::Error },
    #[error("a list has at most {max} witnesses, not {count}")]
    TooMany { count: usize, max: usize },
    #[error("{} has {count} witnesses; a network begins with at most {max}", path.display())]
    TooManyToBegin { path: PathBuf, count: usize, max: usize },
    #[error("rtt_us names the pair {a}, {b}, but there are only {count} witnesses")]
    Pair { a: usize, b: usize, count: usize },
    #[error("the seed of period {0} is not known yet\nhint: try again in a few seconds")]
    NoSeed(u64),
    #[error("{} does not hold a key\nhint: expected 64 hex digits", .0.display())]
    NoKey(PathBuf),
    #[error("no file in {} ends in .key", .0.display())]
    NoKeys(PathBuf),
    #[error("no key in {} belongs to a witness of the list", .0.display())]
    NotListed(PathBuf),
    #[error("cannot listen at {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("the list of witnesses is no longer followed")]
    NotFollowed,
    #[error("{place} has no land within {km} km\nhint: --place is LATITUDE,LONGITUDE")]
    NoLand { place: Place, km: u32 },
    #[error(
        "the list has no witness called {0:?}\nhint: ids and names are in the nodes.csv that the list was dealt for; in a chain's list, witnesses are numbered from 0"
    )]
    NoWitness(String),
    #[error(
        "{} has {length} bytes; a certificate has at most {PRESENCE_CERTIFICATE_BYTES_MAX}",
        path.display()
    )]
    Length { path: PathBuf, length: usize },
    #[error("{} is not a presence certificate\nhint: meshx presence prove makes one", path.display())]
    NoCertificate { path: PathBuf, source: types::codec::Error },
    #[error("the presence certificate is invalid")]
    Rejected(#[source] presence::Rejected),
    #[error(transparent)]
    NotDrawn(#[from] measure::NotDrawn),
    #[error(transparent)]
    NotProved(#[from] measure::NotProved),
    #[error(transparent)]
    Node(#[from] ClientError),
    #[error(transparent)]
    BadFile(#[from] BadFile),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
    #[error(transparent)]
    System(#[from] io::Error),
}
