//! The statement that evidence is bound to: which code, which keys, what time, which account, and which parent.

use ring::digest;
use serde::{Deserialize, Serialize};

use crate::{Binding, Technology, UnixSeconds};

/// The first bytes of what is hashed, so that no other protocol's hash is one of ours.
const DOMAIN: &[u8] = b"meshx/att/v1";

/// What a machine says when it attests: the paper's `TEE.quote({code_hash, node_pubkey, timestamp,
/// parent})` (§2.1.1), with the key that private jobs are sealed to and the verifier's nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// SHA-256 of the code that runs.
    #[serde(with = "hex::serde")]
    pub code_hash: [u8; 32],
    /// The Ed25519 key that the node signs with.
    #[serde(with = "hex::serde")]
    pub node_key: [u8; 32],
    /// SHA-256 of the HPKE (X-Wing) public key that private inputs are sealed to; zeros for none.
    #[serde(with = "hex::serde")]
    pub sealing_key_hash: [u8; 32],
    /// When it was made, by the attester's clock.
    pub timestamp: UnixSeconds,
    /// What the verifier asked for, so that old evidence answers no new question.
    #[serde(with = "hex::serde")]
    pub nonce: [u8; 32],
    /// SHA-256 of the parent's evidence ([`evidence_hash`]); zeros at the beginning of a chain.
    #[serde(with = "hex::serde")]
    pub parent: [u8; 32],
}

impl Statement {
    /// What goes into 64 bytes of report data: SHA-512 over everything above, each part of a fixed
    /// length, numbers big-endian.
    #[must_use]
    pub fn report_data(&self) -> [u8; 64] {
        let mut hash = digest::Context::new(&digest::SHA512);
        hash.update(DOMAIN);
        hash.update(&self.code_hash);
        hash.update(&self.node_key);
        hash.update(&self.sealing_key_hash);
        hash.update(&self.timestamp.get().to_be_bytes());
        hash.update(&self.nonce);
        hash.update(&self.parent);
        hash.finish().as_ref().try_into().expect("SHA-512 has 64 bytes")
    }

    /// What the evidence of `technology` must carry. App Attest and TPM 2.0 have room for 32 bytes
    /// everywhere, so they carry the SHA-256 of the 64: for App Attest that is the hash of the
    /// client data, which are the 64 bytes.
    #[must_use]
    pub fn challenge(&self, technology: Technology) -> Vec<u8> {
        let report_data = self.report_data();
        match technology {
            Technology::AppleAppAttest | Technology::Tpm2 => {
                digest::digest(&digest::SHA256, &report_data).as_ref().to_vec()
            }
            _ => report_data.to_vec(),
        }
    }

    /// What evidence of `technology` must be bound to, to be evidence for this statement.
    #[must_use]
    pub fn binding(&self, technology: Technology) -> Binding {
        Binding::Challenge(self.challenge(technology))
    }
}

/// What a child names its parent by: SHA-256 of the evidence's wire form.
#[must_use]
pub fn evidence_hash(wire: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, wire).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 'meshx/att/v1' + 01*32 02*32 03*32 0000000000000007 04*32 05*32 | sha512sum`.
    #[test]
    fn the_binding_is_the_hash_anyone_can_compute() {
        let statement = Statement {
            code_hash: [1; 32],
            node_key: [2; 32],
            sealing_key_hash: [3; 32],
            timestamp: UnixSeconds::new(7),
            nonce: [4; 32],
            parent: [5; 32],
        };
        assert_eq!(
            hex::encode(statement.report_data()),
            "2fdeda7e2b9278e49cf97a81a41b344b35f1eee5c0f432f5f6c97d4e2f0bded0\
             3f45bda22c41f7ed6d4d25d949344a9e84d0d891125c75b7828e43e8d9dacc84"
        );
    }

    #[test]
    fn every_part_is_bound() {
        let base = Statement {
            code_hash: [0; 32],
            node_key: [0; 32],
            sealing_key_hash: [0; 32],
            timestamp: UnixSeconds::new(0),
            nonce: [0; 32],
            parent: [0; 32],
        };
        let variants = [
            Statement { code_hash: [1; 32], ..base },
            Statement { node_key: [1; 32], ..base },
            Statement { sealing_key_hash: [1; 32], ..base },
            Statement { timestamp: UnixSeconds::new(1), ..base },
            Statement { nonce: [1; 32], ..base },
            Statement { parent: [1; 32], ..base },
        ];
        for (index, variant) in variants.iter().enumerate() {
            assert_ne!(variant.report_data(), base.report_data(), "part {index}");
        }
    }
}
