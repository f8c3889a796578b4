//! Outputs and receipts, fetched and checked.

use crate::{Distrusted, Finished, checked_output, checked_receipt};
use api::{Client, ClientError, JobView, Output};
use receipt::Verified;
use types::{BadOutputList, state::Phase};

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotFetched {
    #[error("the job has no result\nhint: meshx why explains the state of the job")]
    NoResult,
    #[error(transparent)]
    Node(#[from] ClientError),
    #[error(transparent)]
    Distrusted(#[from] Distrusted),
    #[error(
        "the node sent a list of the job's files that the chain did not settle on\nhint: ask another node"
    )]
    List(#[from] BadOutputList),
    #[error("the node sent another file than {0:?}, which the job left\nhint: ask another node")]
    OtherFile(String),
}

/// One of a settled job's outputs, checked against the hash that the chain settled on.
///
/// # Errors
/// [`NotFetched`].
pub fn output(client: &Client, view: &JobView, output: Output) -> Result<Vec<u8>, NotFetched> {
    let Phase::Settled(settlement) = &view.record.phase else { return Err(NotFetched::NoResult) };
    let bytes = client.output(Some(view.chain), view.job, output)?.bytes()?;
    Ok(checked_output(view.job, settlement, output, bytes)?)
}

/// A finished job's receipt, and what it proves: no less than the node has said.
///
/// # Errors
/// [`NotFetched`].
pub fn receipt(client: &Client, finished: &Finished) -> Result<(Vec<u8>, Verified), NotFetched> {
    let Finished { view, network } = finished;
    let Phase::Settled(settlement) = &view.record.phase else { return Err(NotFetched::NoResult) };
    let bytes = client.receipt(Some(view.chain), view.job)?;
    let verified = checked_receipt(&bytes, network, settlement)?;
    Ok((bytes, verified))
}
