//! Gas: what every transaction that goes through in these tests has used, beside what its checks cost at least; and that
//! no check goes past the meter.

use chain::Applied;
use std::{fs, path::Path};
use types::{Action, attest::Attestation, codec::Encode as _, staking::StakeOrder};

/// Nanoseconds that a check takes at least, by docs/performance.md, docs/attestation.md and ADR 9.
const SIGNATURE: u64 = 16_000;
const VRF: u64 = 39_000;
const CERTIFICATE: u64 = 1_600_000;
const INCLUSION: u64 = 6_000;
/// The quickest evidence there is: a PSA token.
const EVIDENCE: u64 = 47_000;

/// The checks that an action asks for. A new action has to say what it asks for here.
fn checks(action: &Action) -> u64 {
    match action {
        Action::Transfer { .. }
        | Action::RegisterWorker { .. }
        | Action::SubmitJob(_)
        | Action::Commit { .. }
        | Action::Reveal(_)
        | Action::CancelJob { .. }
        | Action::PublishModule { .. }
        | Action::Heartbeat
        | Action::Propose { .. }
        | Action::Vote { .. }
        | Action::ClaimVested { .. } => 0,
        Action::Stake(StakeOrder::Bond { .. }) => SIGNATURE,
        Action::Stake(StakeOrder::RegisterVrf { .. }) | Action::Ticket(_) => VRF,
        Action::Stake(_) => 0,
        Action::Report(_) => 2 * SIGNATURE,
        Action::ImportDecree(_) | Action::ImportSeats(_) => CERTIFICATE + INCLUSION,
        Action::Attest(Attestation { .. }) => EVIDENCE,
        // The draw is checked twice: for what to load, and for the verdict.
        Action::Certify(certificate) => {
            2 * VRF + SIGNATURE * (1 + u64::try_from(certificate.minima.len()).unwrap())
        }
    }
}

/// Every transaction of a block has used gas for its sender's signature, its bytes, its nonce and its checks.
pub fn check(applied: &Applied) {
    assert_eq!(applied.gas.txs.len(), applied.included.len(), "one figure for each");
    for (tx, gas) in applied.included.iter().zip(&applied.gas.txs) {
        let bytes = u64::try_from(tx.tx().encode().len()).unwrap();
        let least = SIGNATURE + bytes + checks(&tx.tx().action);
        assert!(*gas > least, "{:?} used {gas}, its checks alone take {least}", tx.tx().action);
    }
    assert!(applied.gas.own > 0 && applied.gas.total() >= applied.gas.own);
}

/// What verifies, as a path or a method that a file would have to write.
const VERIFIERS: &[&str] = &[
    "crypto::verify",
    "verify_batch",
    "verify_vrf_batch",
    "verify_under",
    "attestation::verify",
    "check_equivocation",
    "verify_certificate",
    "verify_inclusion",
    "light::verify",
    "verify_exclusion",
    "presence::verify",
    "presence::consulted",
    "proved::check",
    "VrfPublicKey",
    "VrfProof::",
    "SealingPublicKey",
    ".verify(",
];

/// Files that may name one: where checks are charged, what they wrap, and what runs before a block does.
const MAY: &[&str] = &["checks.rs", "proved.rs", "checked.rs", "genesis.rs", "tests.rs"];

fn look(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if path.is_dir() {
            look(&path, found);
        } else if !MAY.contains(&name.as_str()) {
            let text = fs::read_to_string(&path).unwrap();
            let named = VERIFIERS.iter().filter(|verifier| text.contains(*verifier));
            found.extend(named.map(|verifier| format!("{}: {verifier}", path.display())));
        }
    }
}

#[test]
fn nothing_is_verified_beside_the_meter() {
    let mut found = Vec::new();
    look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.is_empty(), "{found:#?}");
}
