//! Outputs and receipts, fetched and checked.

use crate::{Distrusted, Finished, checked_output, checked_receipt, phase_words, units::short_id};
use api::{Client, ClientError, JobView, Output};
use receipt::Verified;
use types::{BadOutputList, JobId, state::Phase};

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotFetched {
    #[error("job {0} ended without a result\nhint: meshx why {0} explains it")]
    NoResult(String),
    #[error(
        "job {job} has no result yet: {phase}\nhint: meshx job follow {job} tells how far it is"
    )]
    NotYet { job: String, phase: &'static str },
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

/// Why a job of this phase has no result to fetch.
pub(crate) fn no_result(job: &JobId, phase: &Phase) -> NotFetched {
    let job = short_id(job);
    match phase {
        Phase::Ended { .. } => NotFetched::NoResult(job),
        phase => NotFetched::NotYet { job, phase: phase_words(phase) },
    }
}

/// One of a settled job's outputs, checked against the hash that the chain settled on.
///
/// # Errors
/// [`NotFetched`].
pub fn output(client: &Client, view: &JobView, output: Output) -> Result<Vec<u8>, NotFetched> {
    let Phase::Settled(settlement) = &view.record.phase else {
        return Err(no_result(&view.job, &view.record.phase));
    };
    let bytes = client.output(Some(view.chain), view.job, output)?.bytes()?;
    Ok(checked_output(view.job, settlement, output, bytes)?)
}

/// A finished job's receipt, and what it proves: no less than the node has said.
///
/// # Errors
/// [`NotFetched`].
pub fn receipt(client: &Client, finished: &Finished) -> Result<(Vec<u8>, Verified), NotFetched> {
    let Finished { view, network } = finished;
    let Phase::Settled(settlement) = &view.record.phase else {
        return Err(no_result(&view.job, &view.record.phase));
    };
    let bytes = client.receipt(Some(view.chain), view.job)?;
    let verified = checked_receipt(&bytes, network, settlement)?;
    Ok((bytes, verified))
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Hash, Height, state::Ending};

    #[test]
    fn a_job_that_goes_on_is_told_from_one_without_a_result() {
        let job = Hash([0xab; 32]);
        let ended = Phase::Ended {
            paid: types::NanoMeshx::ZERO,
            ending: Ending::Cancelled,
            assignments: Default::default(),
            height: Height::new(9),
        };
        let said = |phase: &Phase| no_result(&job, phase).to_string();
        let expected = "job abababababab has no result yet: waiting for workers\nhint: meshx job follow abababababab tells";
        assert!(said(&Phase::Queued { draws: 0 }).starts_with(expected));
        assert!(said(&ended).contains("hint: meshx why abababababab explains it"));
    }
}
