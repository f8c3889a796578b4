//! What a prover and its witnesses sign, and the certificate of it.

use crate::Draw;
use crypto::SigningKey;
use types::{
    Hash, List, PublicKey, Signature,
    presence::{Claim, Minimum, PresenceCertificate, WITNESSES_MAX},
};

/// A transcript's root and the prover's signature over claim and root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedTranscript {
    /// The root of all challenges and answers.
    pub root: Hash,
    /// By the prover, over claim and root.
    pub signature: Signature,
}

impl SignedTranscript {
    /// The transcript with this root, signed for `claim`.
    #[must_use]
    pub fn new(claim: &Hash, root: Hash, key: &SigningKey) -> Self {
        let message = PresenceCertificate::message(claim, &root);
        Self { root, signature: Signature(key.sign(PresenceCertificate::DOMAIN, &message)) }
    }

    /// Did the prover sign it for that claim?
    #[must_use]
    pub fn is_of(&self, claim: &Hash, prover: &PublicKey) -> bool {
        let message = PresenceCertificate::message(claim, &self.root);
        let domain = PresenceCertificate::DOMAIN;
        crypto::verify(&prover.0, domain, &message, &self.signature.0).is_ok()
    }
}

/// A witness's word for its quickest round trip.
#[must_use]
pub fn sign_minimum(
    claim: &Hash,
    transcript: &Hash,
    witness: u16,
    rtt_us: u32,
    key: &SigningKey,
) -> Minimum {
    let message = Minimum::message(claim, transcript, witness, rtt_us);
    Minimum { witness, rtt_us, signature: Signature(key.sign(Minimum::DOMAIN, &message)) }
}

/// Did that witness sign it, for that claim and transcript? One that did not would spoil a whole certificate.
#[must_use]
pub fn is_signed(minimum: &Minimum, claim: &Hash, transcript: &Hash, witness: &PublicKey) -> bool {
    let message = Minimum::message(claim, transcript, minimum.witness, minimum.rtt_us);
    crypto::verify(&witness.0, Minimum::DOMAIN, &message, &minimum.signature.0).is_ok()
}

/// The certificate of a claim: minima in the order of witnesses.
///
/// # Panics
/// If a witness is there twice, or there are more than [`WITNESSES_MAX`]: one's own list of what was asked is wrong.
#[must_use]
pub fn assemble(
    claim: Claim,
    draw: Draw,
    transcript: SignedTranscript,
    mut minima: Vec<Minimum>,
) -> PresenceCertificate {
    minima.sort_unstable_by_key(|minimum| minimum.witness);
    assert!(minima.windows(2).all(|pair| pair[0].witness < pair[1].witness), "a witness once");
    let minima: List<Minimum, WITNESSES_MAX> = List::new(minima).expect("at most 96 were asked");
    let SignedTranscript { root, signature } = transcript;
    PresenceCertificate { claim, draw, transcript: root, signature, minima }
}
