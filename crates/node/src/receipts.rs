//! Putting a receipt together from what a chain's node keeps.

use commonware_runtime::tokio::Context;
use consensus::Chain;
use receipt::{Receipt, Reveals};
use types::{
    Action, Height, JobId, List,
    network::NetworkKeys,
    state::{JobRecord, Key, Phase},
};

/// Why there is no receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoReceipt {
    #[error("no job has id {0}")]
    UnknownJob(JobId),
    #[error("the job has not settled")]
    NotSettled,
    #[error("no block got a certificate of its own in time; try again")]
    NotProved,
    #[error("the blocks with the workers' statements are no longer kept here")]
    Pruned,
}

/// Make the receipt of a settled job.
pub(crate) async fn receipt(
    network_keys: &NetworkKeys,
    chain: &Chain<Context>,
    job: JobId,
) -> Result<Receipt, NoReceipt> {
    let record: JobRecord = chain.record(Key::Job(job)).await.ok_or(NoReceipt::UnknownJob(job))?;
    let Phase::Settled(settlement) = &record.phase else { return Err(NoReceipt::NotSettled) };
    let (ran, ran_until) = match settlement.cached_from {
        None => (job, settlement.height),
        Some(original) => {
            let original_record: JobRecord =
                chain.record(Key::Job(original)).await.ok_or(NoReceipt::UnknownJob(original))?;
            let Phase::Settled(original_settlement) = original_record.phase else {
                return Err(NoReceipt::NotSettled);
            };
            (original, original_settlement.height)
        }
    };
    let first: JobRecord = chain.record(Key::Job(ran)).await.ok_or(NoReceipt::UnknownJob(ran))?;
    let wanted =
        settlement.assignments.iter().filter(|assignment| assignment.outcome.is_some()).count();
    let mut reveals = List::default();
    // Newest first: the last reveals are in the block that settled the job.
    for height in (first.submitted.get()..=ran_until.get()).rev() {
        let block = chain.block(Height::new(height)).await.ok_or(NoReceipt::Pruned)?;
        for tx in block.body.txs.iter() {
            if matches!(&tx.action, Action::Reveal(reveal) if reveal.job == ran) {
                let _ = reveals.push(tx.clone());
            }
        }
        if reveals.len() >= wanted {
            break;
        }
    }
    let proof = chain.prove(&Key::Job(job)).await.ok_or(NoReceipt::NotProved)?;
    if proof.record.is_none() {
        return Err(NoReceipt::UnknownJob(job));
    }
    Ok(Receipt {
        network_keys: network_keys.clone(),
        chain: chain.id(),
        job,
        proved: proof.decoded().expect("state holds what this code wrote"),
        reveals: Reveals::Now(reveals),
    })
}
