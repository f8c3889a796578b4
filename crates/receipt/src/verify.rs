//! The checks of a receipt, one after the other, each with a name.

use crate::{
    before::TxBefore,
    file::{Receipt, Reveals, Unreadable},
    light,
};
use types::{
    Action, Address, ChainId, Hash, PublicKey, Signature, Tx, TxId,
    state::{Phase, Settlement},
};

/// How much stands behind a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assurance {
    /// One worker's word.
    None,
    /// This many of that many workers gave the same result.
    Quorum {
        /// How many revealed the outcome.
        agreed: u8,
        /// How many were drawn.
        replicas: u8,
    },
}

impl std::fmt::Display for Assurance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Quorum { agreed, replicas } => write!(f, "quorum {agreed}/{replicas}"),
        }
    }
}

/// The assurance of a settled job.
pub fn assurance(settlement: &Settlement) -> Assurance {
    let replicas = u8::try_from(settlement.assignments.len()).expect("bounded by its type");
    match settlement.agreed {
        0 | 1 => Assurance::None,
        agreed => Assurance::Quorum { agreed, replicas },
    }
}

/// The check that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Failed {
    #[error("format: {0}")]
    Format(#[from] Unreadable),
    #[error("network: the receipt is from network {0}, which this machine does not trust")]
    Network(Hash),
    #[error("chain: the block belongs to another chain than the receipt says")]
    Chain,
    #[error("certificate: {0}")]
    Certificate(light::Invalid),
    #[error("state proof: {0}")]
    StateProof(light::Invalid),
    #[error("settlement: the job has not settled")]
    NotSettled,
    #[error("settlement: the payment and the refund do not add up to the escrow")]
    Money,
    #[error("workers: the signature of reveal {0} is not the worker's")]
    WorkerSignature(TxId),
    #[error(
        "workers: {0} has no assignment in the job, appears twice, or reveals another result than its assignment"
    )]
    Worker(Address),
    #[error("workers: {found} signed reveals of the agreed result, {needed} are needed")]
    TooFewWorkers { found: u8, needed: u8 },
}

/// A receipt that passed every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    receipt: Receipt,
    settlement: Settlement,
    network: Hash,
}

impl Verified {
    /// The file that was checked.
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }
    /// What the job gave and cost.
    pub const fn settlement(&self) -> &Settlement {
        &self.settlement
    }
    /// The network that vouches for it.
    pub const fn network(&self) -> Hash {
        self.network
    }
    /// How much stands behind the result.
    pub fn assurance(&self) -> Assurance {
        assurance(&self.settlement)
    }
    /// Whether the network's keys were all dealt by one process, so that one party could have made
    /// this receipt up.
    pub const fn dev_dealer(&self) -> bool {
        self.receipt.network_keys.dev_dealer
    }
}

/// Check a receipt file. `trusted` says which network ids the caller believes in: everything in the
/// file could be made up by someone who runs a network of their own.
///
/// # Errors
/// The first check that fails.
pub fn verify(bytes: &[u8], trusted: impl Fn(&Hash) -> bool) -> Result<Verified, Failed> {
    let receipt = Receipt::from_bytes(bytes)?;
    let network = receipt.network_keys.network();
    if receipt.proved.header.chain != receipt.chain {
        return Err(Failed::Chain);
    }
    light::verify(&receipt.network_keys, &receipt.key(), &receipt.proved).map_err(|invalid| {
        if invalid.is_of_state() {
            Failed::StateProof(invalid)
        } else {
            Failed::Certificate(invalid)
        }
    })?;
    let record = receipt.record();
    let Phase::Settled(settlement) = &record.phase else { return Err(Failed::NotSettled) };
    let settlement = settlement.clone();
    if settlement.paid.checked_add(settlement.refunded) != Some(record.submission.price_max) {
        return Err(Failed::Money);
    }
    check_workers(&receipt, &settlement, &network)?;
    // Last, because it only says that the file is as it was written, not who wrote it.
    if !Receipt::intact(bytes) {
        return Err(Failed::Format(Unreadable::Checksum));
    }
    // After the rest, so that an unknown network is reported for a receipt that is otherwise sound.
    if !trusted(&network) {
        return Err(Failed::Network(network));
    }
    Ok(Verified { receipt, settlement, network })
}

/// What a worker said, in whatever form it signed it.
struct Said<'a> {
    id: TxId,
    chain: ChainId,
    sender: PublicKey,
    action: &'a Action,
    domain: &'static str,
    signed: Vec<u8>,
    signature: Signature,
}

fn said<'a>(reveals: &'a Reveals, network: &Hash) -> Vec<Said<'a>> {
    macro_rules! said {
        ($reveals:expr, $form:ty) => {{
            let said = |tx: &'a $form| Said {
                id: tx.id(),
                chain: tx.chain,
                sender: tx.sender,
                action: &tx.action,
                domain: <$form>::DOMAIN,
                signed: tx.signing_bytes(network),
                signature: tx.signature,
            };
            $reveals.iter().map(said).collect()
        }};
    }
    match reveals {
        Reveals::Now(reveals) => said!(reveals, Tx),
        Reveals::Before(reveals) => said!(reveals, TxBefore),
    }
}

/// Every reveal is signed by an assigned worker and says what its assignment committed to; enough of them say
/// what was settled.
fn check_workers(receipt: &Receipt, settlement: &Settlement, network: &Hash) -> Result<(), Failed> {
    let ran = settlement.cached_from.unwrap_or(receipt.job);
    let mut seen: Vec<Address> = Vec::new();
    let mut found = 0;
    for said in said(&receipt.reveals, network) {
        crypto::verify(&said.sender.0, said.domain, &said.signed, &said.signature.0)
            .map_err(|_| Failed::WorkerSignature(said.id))?;
        let worker = Address::of(&said.sender);
        let Action::Reveal(reveal) = said.action else { return Err(Failed::Worker(worker)) };
        let assignment =
            settlement.assignments.iter().find(|assignment| assignment.worker == worker);
        let fits = assignment.is_some_and(|assignment| {
            reveal.job == ran
                && assignment.commitment == Some(reveal.commitment(&worker))
                && assignment.outcome == Some(reveal.outcome)
        });
        if !fits || said.chain != receipt.chain || seen.contains(&worker) {
            return Err(Failed::Worker(worker));
        }
        seen.push(worker);
        found += u8::from(reveal.outcome == settlement.outcome);
    }
    let needed = settlement.agreed;
    if found < needed {
        return Err(Failed::TooFewWorkers { found, needed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Bytes;

    /// The receipt that fuzzing starts from: written by a network of an earlier version.
    fn kept() -> Receipt {
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/receipt");
        let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
        let bytes = std::fs::read(file).unwrap();
        let receipt = Receipt::from_bytes(&bytes).unwrap();
        assert_eq!(receipt.to_bytes(), bytes, "a receipt has one byte form");
        receipt
    }

    fn check(receipt: &Receipt) -> Result<(), Failed> {
        verify(&receipt.to_bytes(), |_| true).map(drop)
    }

    #[test]
    fn a_receipt_of_before_verifies() {
        check(&kept()).unwrap();
    }

    #[test]
    fn each_part_of_the_proof_is_checked_under_its_own_name() {
        let mut other = kept();
        other.proved.record.payer = Address::pool("somebody else");
        assert_eq!(check(&other), Err(Failed::StateProof(light::Invalid::ProofMismatch)));
        let mut other = kept();
        other.proved.header.view += 1;
        assert_eq!(check(&other), Err(Failed::Certificate(light::Invalid::OtherBlock)));
        let mut other = kept();
        other.proved.proof = Bytes::default();
        assert_eq!(check(&other), Err(Failed::StateProof(light::Invalid::BadProof)));
        let mut other = kept();
        other.job = Hash::ZERO;
        assert_eq!(check(&other), Err(Failed::StateProof(light::Invalid::ProofMismatch)));
    }
}
