//! Wallets: every key of one owner, grown from one mnemonic along fixed paths.

use crate::{Mnemonic, SealingKey, SigningKey, VrfKey, slip10};
use zeroize::Zeroizing;

/// MeshX's number in `m/44'/<coin>'/…`: the letters `MSHX`, 1,297,303,640.
///
/// Not registered in SLIP-0044 and far from the registered ones; changing it changes every key.
pub const COIN_TYPE: u32 = u32::from_be_bytes(*b"MSHX");

/// BIP-44's purpose, the first step of the path.
const PURPOSE: u32 = 44;

/// The step kept for the VRF. It is not a [`Role`]: an Ed25519 signature and an ECVRF proof under
/// one seed give the secret away, so there must be no way to ask for a `SigningKey` there.
const VRF: u32 = 2;
/// The step kept for sealing, which is no signature either.
const SEALING: u32 = 4;

/// What a key signs. The number is the last step of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Role {
    /// Transactions of the account: money moves.
    Spend = 0,
    /// Blocks and votes of a validator.
    Consensus = 1,
    // 2 is the VRF: see [`Wallet::vrf_key`].
    /// Receipts of a worker.
    Worker = 3,
}

/// One owner's tree of keys. Wiped when dropped, never printed.
pub struct Wallet {
    seed: Zeroizing<[u8; 64]>,
}

impl Wallet {
    /// The wallet of `mnemonic` and `passphrase`, BIP-39's optional 25th word (`""` for none).
    ///
    /// Any passphrase is valid and each opens a different wallet: a typing error shows as an
    /// unknown address, not as an error. Costs about a millisecond.
    pub fn from_mnemonic(mnemonic: &Mnemonic, passphrase: &str) -> Self {
        Self { seed: mnemonic.seed(passphrase) }
    }

    /// The key at `m/44'/MSHX'/account'/role'`.
    pub fn key(&self, role: Role, account: u16) -> SigningKey {
        SigningKey::from_seed(&self.at(account, role as u32))
    }

    /// The key at `m/44'/MSHX'/account'/2'` that tickets are drawn with. Its secret signs nothing.
    pub fn vrf_key(&self, account: u16) -> VrfKey {
        VrfKey::from_seed(&self.at(account, VRF))
    }

    /// The key at `m/44'/MSHX'/account'/4'` that private inputs are sealed to.
    pub fn sealing_key(&self, account: u16) -> SealingKey {
        SealingKey::from_seed(&self.at(account, SEALING))
    }

    fn at(&self, account: u16, step: u32) -> Zeroizing<[u8; 32]> {
        slip10::derive(&*self.seed, &[PURPOSE, COIN_TYPE, account.into(), step])
    }
}

impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wallet(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use std::collections::BTreeSet;

    fn wallet(passphrase: &str) -> Wallet {
        let phrase = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
        Wallet::from_mnemonic(&Mnemonic::parse(phrase).unwrap(), passphrase)
    }

    fn check(role: Role, account: u16, public: Expect) {
        public.assert_eq(&hex::encode(wallet("").key(role, account).public()));
    }

    /// If this changes, every wallet in the world shows other addresses.
    #[test]
    fn paths_are_pinned() {
        assert_eq!(COIN_TYPE, 1_297_303_640);
        check(
            Role::Spend,
            0,
            expect!["1a04209ea63b458b7bf8c788167e9428e61a69bb3a23cc4c4b6dcfdc8f588bcf"],
        );
        check(
            Role::Consensus,
            0,
            expect!["267677ac778ed6912122260151f8bb96ff713cc545d2b29736b0c17c68f5ec48"],
        );
        check(
            Role::Worker,
            0,
            expect!["461892e5ab287320ee5c3b568c7e7861245cf80d007c8ebdc158441bf028e038"],
        );
        check(
            Role::Spend,
            u16::MAX,
            expect!["a287bb830e7c31c415c76150e4e1177ab24bdf9f0260f3bb56134467da7b1f0d"],
        );
        expect!["460d1fdaa401facc4ee292f3c7ab33b2ecfa9095e2ed341518feaea8d649b760"]
            .assert_eq(&hex::encode(wallet("").vrf_key(0).public()));
    }

    #[test]
    fn every_role_account_and_passphrase_has_its_own_secret() {
        let mut seen = BTreeSet::new();
        for wallet in [wallet(""), wallet("25th")] {
            for account in [0, 1, 2, 3, 44] {
                for role in [Role::Spend, Role::Consensus, Role::Worker] {
                    assert!(seen.insert(*wallet.key(role, account).seed()));
                }
                assert!(seen.insert(*wallet.at(account, VRF)));
            }
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", wallet("")), "Wallet(hidden)");
    }
}
