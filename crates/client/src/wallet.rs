//! Wallets: recovery words, kept in a file under a passphrase; and the keys that follow from them.

use crate::write_whole;
pub use crypto::{Mnemonic, SigningKey, Wallet};

use crypto::{BadMnemonic, Role, keystore};
use std::path::{Path, PathBuf};
use types::{Address, PublicKey};

/// The recovery words of the wallet that every local mesh gives money to. They are public on purpose: money of a local mesh is
/// worth nothing.
const DEVELOPMENT_WORDS: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

/// Why a wallet file stayed shut.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadWallet {
    #[error(transparent)]
    Locked(#[from] keystore::Locked),
    #[error("the wallet holds no recovery words")]
    NoWords(#[source] BadMnemonic),
}

/// Why a wallet was not kept.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotKept {
    #[error("{} exists already\nhint: name another file with --wallet", .0.display())]
    Exists(PathBuf),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(transparent)]
    NotSealed(#[from] keystore::NotSealed),
    #[error(transparent)]
    NotWritten(#[from] crate::NotWritten),
}

/// The operating system's generator does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes: {0}")]
pub struct NoRandomness(getrandom::Error);

/// The account of `key`.
#[must_use]
pub fn address(key: &SigningKey) -> Address {
    Address::of(&PublicKey(key.public()))
}

/// The key that a wallet pays with.
#[must_use]
pub fn paying(wallet: &Wallet) -> SigningKey {
    wallet.key(Role::Spend, 0)
}

/// The wallet that has money on every network of development keys.
///
/// # Panics
/// Never: its words are BIP-39's own test words.
#[must_use]
pub fn development() -> Wallet {
    let words = Mnemonic::parse(DEVELOPMENT_WORDS).expect("these are BIP-39's own test words");
    Wallet::from_mnemonic(&words, "")
}

/// The wallet in the bytes of a wallet file.
///
/// # Errors
/// [`BadWallet`], for instance because the passphrase is another.
pub fn open(file: &[u8], passphrase: &str) -> Result<Wallet, BadWallet> {
    let entropy = keystore::open(file, passphrase)?;
    let words = Mnemonic::from_entropy(&entropy).map_err(BadWallet::NoWords)?;
    Ok(Wallet::from_mnemonic(&words, ""))
}

/// The text of a wallet file. `salt` and `nonce` are random, and used once.
///
/// # Errors
/// If the machine has no memory for it.
pub fn seal(
    words: &Mnemonic,
    passphrase: &str,
    salt: [u8; 16],
    nonce: [u8; 12],
) -> Result<String, keystore::NotSealed> {
    let params = keystore::Argon2Params::default();
    let sealed = keystore::seal(&words.entropy(), passphrase, salt, nonce, params)?;
    Ok(keystore::to_text(&sealed))
}

/// Seal the words into a new file, and say whose they are.
///
/// # Errors
/// [`NotKept`]; a file that is there already is left as it is.
pub fn create(path: &Path, words: &Mnemonic, passphrase: &str) -> Result<Address, NotKept> {
    // A wallet that is overwritten is money that nobody can spend any more.
    if path.exists() {
        return Err(NotKept::Exists(path.to_owned()));
    }
    let text = seal(words, passphrase, random()?, random()?)?;
    write_whole(path, text.as_bytes(), true)?;
    Ok(address(&paying(&Wallet::from_mnemonic(words, ""))))
}

/// Fresh bytes of the operating system's generator.
///
/// # Errors
/// [`NoRandomness`].
pub fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(bytes)
}

/// A number that nobody else draws.
///
/// # Errors
/// [`NoRandomness`].
pub fn random_number() -> Result<u64, NoRandomness> {
    random().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallet_comes_back_with_its_passphrase_only() {
        let words = Mnemonic::from_entropy(&[7; 32]).unwrap();
        let file = seal(&words, "correct", [1; 16], [2; 12]).unwrap();
        let own = address(&paying(&Wallet::from_mnemonic(&words, "")));
        assert_eq!(address(&paying(&open(file.as_bytes(), "correct").unwrap())), own);
        let refused = open(file.as_bytes(), "wrong").err().unwrap();
        assert!(matches!(refused, BadWallet::Locked(keystore::Locked::WrongPassphrase)));
    }

    #[test]
    fn a_wallet_that_exists_is_not_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wallet");
        std::fs::write(&path, "precious").unwrap();
        let words = Mnemonic::from_entropy(&[7; 32]).unwrap();
        assert!(matches!(create(&path, &words, "p"), Err(NotKept::Exists(_))));
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    }
}
