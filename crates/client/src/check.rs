//! Whether a node's answer is what the chain settled on.

use crate::home;
use api::Output;
use receipt::{Failed, Verified};
use types::{Hash, JobId, codec::Encode as _, state::Settlement};

/// A node's answer is not what the chain settled on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Distrusted {
    #[error(
        "the node sent an output that the chain did not settle on\nhint: ask another node for job {0}"
    )]
    Output(JobId),
    #[error("the node's receipt is invalid")]
    Receipt(#[source] Failed),
    #[error("the receipt and the node disagree about the result\nhint: ask another node")]
    Settlement,
}

/// `bytes`, if the chain settled on them as that output of `job`.
///
/// # Errors
/// [`Distrusted::Output`].
pub fn checked_output(
    job: JobId,
    settlement: &Settlement,
    output: Output,
    bytes: Vec<u8>,
) -> Result<Vec<u8>, Distrusted> {
    let expected = match output {
        Output::Stdout => settlement.outcome.stdout,
        Output::Stderr => settlement.outcome.stderr,
    };
    if Hash::of_content(&bytes) == expected.hash { Ok(bytes) } else { Err(Distrusted::Output(job)) }
}

/// What a receipt proves, of a network that is named, or that this machine has worked with or made itself. Asks nobody.
///
/// # Errors
/// [`Failed`] names the first check that does not hold.
pub fn verify(bytes: &[u8], named: &[Hash]) -> Result<Verified, Failed> {
    let known = |network: &Hash| {
        named.contains(network) || home::trusts(network) || home::is_passing(network)
    };
    receipt::verify(bytes, known)
}

/// What a receipt of `network` proves, if that is what the node said before.
///
/// # Errors
/// [`Distrusted::Receipt`] if it does not verify, [`Distrusted::Settlement`] if it proves something else.
pub fn checked_receipt(
    bytes: &[u8],
    network: &Hash,
    settlement: &Settlement,
) -> Result<Verified, Distrusted> {
    let verified = receipt::verify(bytes, |id| id == network).map_err(Distrusted::Receipt)?;
    // By their bytes: what is hashed and signed is what counts.
    if verified.settlement().encode() == settlement.encode() {
        Ok(verified)
    } else {
        Err(Distrusted::Settlement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Fuel, Height, NanoMeshx, Outcome, OutputRef, Status};

    #[test]
    fn other_bytes_than_the_chain_settled_on_are_refused() {
        let kept = |bytes: &[u8]| OutputRef { hash: Hash::of_content(bytes), len: 5 };
        let outcome = Outcome {
            status: Status::Exited(0),
            stdout: kept(b"right"),
            stderr: kept(b"other"),
            fuel: Fuel::new(1),
            memory_bytes: 0,
        };
        let settlement = Settlement {
            height: Height::new(9),
            outcome,
            agreed: 3,
            assignments: Default::default(),
            paid: NanoMeshx::ZERO,
            refunded: NanoMeshx::ZERO,
            cached_from: None,
        };
        let checked = |output, bytes: &[u8]| {
            checked_output(Hash([4; 32]), &settlement, output, bytes.to_vec())
        };
        assert_eq!(checked(Output::Stdout, b"right").unwrap(), b"right");
        let refused = Err(Distrusted::Output(Hash([4; 32])));
        assert_eq!(checked(Output::Stdout, b"wrong"), refused);
        assert_eq!(checked(Output::Stderr, b"right"), refused, "that is of the other output");
    }
}
