//! The key that pays.

use crate::{local, settings::Settings};
use anyhow::{Context as _, Result, bail};
use crypto::{Mnemonic, Role, SigningKey, Wallet, keystore};
use std::{fs, io::IsTerminal as _};
use types::{Address, PublicKey};

pub fn address(key: &SigningKey) -> Address {
    Address::of(&PublicKey(key.public()))
}

/// The passphrase: from `MESHX_PASSPHRASE`, or asked for on the terminal.
pub fn passphrase(prompt: &str) -> Result<String> {
    if let Ok(set) = std::env::var("MESHX_PASSPHRASE") {
        return Ok(set);
    }
    if !std::io::stdin().is_terminal() {
        bail!(
            "the wallet has a passphrase and nobody is at the terminal\nhint: set MESHX_PASSPHRASE"
        );
    }
    rpassword::prompt_password(format!("{prompt}: ")).context("cannot read the passphrase")
}

/// Open the wallet file, which may ask for its passphrase.
fn open(settings: &Settings) -> Result<Wallet> {
    let path = &settings.wallet;
    let bytes = fs::read(path).with_context(|| {
        format!("cannot read the wallet {}\nhint: meshx wallet new makes one", path.display())
    })?;
    let entropy = keystore::open(&bytes, &passphrase("Passphrase")?)
        .with_context(|| format!("cannot open the wallet {}", path.display()))?;
    let words = Mnemonic::from_entropy(&entropy).context("the wallet holds no recovery words")?;
    Ok(Wallet::from_mnemonic(&words, ""))
}

/// The keys to use: the user's wallet, or on a network of development keys the public dev wallet.
pub fn keys(settings: &Settings, dev_network: bool) -> Result<Wallet> {
    if settings.wallet_named || (settings.wallet.exists() && !dev_network) {
        return open(settings);
    }
    if dev_network {
        return Ok(local::dev_wallet());
    }
    bail!(
        "no wallet to pay with\nhint: meshx wallet new makes one at {}",
        settings.wallet.display()
    )
}

/// The key to pay with.
pub fn paying(settings: &Settings, dev_network: bool) -> Result<SigningKey> {
    Ok(keys(settings, dev_network)?.key(Role::Spend, 0))
}
