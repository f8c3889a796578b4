//! The user: the node they talk to, and the keys they pay with.

use crate::{network, settings::Settings};
use anyhow::{Context as _, Result, bail};
use api::Client;
use client::wallet::{self, SigningKey, Wallet};
use std::io::IsTerminal as _;
use types::Address;

/// A client of the current network, which is said on stderr.
pub fn client(settings: &Settings) -> Result<Client> {
    Ok(network::need(settings)?.client)
}

/// The user's keys on this network.
pub fn keys(settings: &Settings, client: &Client) -> Result<Wallet> {
    keys_on(settings, client.status()?.dev_dealer)
}

/// Pay from the right key for this network.
pub fn paying_key(settings: &Settings, client: &Client) -> Result<SigningKey> {
    Ok(wallet::paying(&keys(settings, client)?))
}

/// The address that is named, or one's own.
pub fn address_or_own(
    settings: &Settings,
    client: &Client,
    named: Option<Address>,
) -> Result<Address> {
    named.map_or_else(|| Ok(wallet::address(&paying_key(settings, client)?)), Ok)
}

/// Whether keys are those of the development wallet.
pub const fn is_development(settings: &Settings, dev_network: bool) -> bool {
    dev_network && !settings.wallet_named
}

/// The keys to use: the user's wallet, or on a network of development keys the public development wallet.
pub fn keys_on(settings: &Settings, dev_network: bool) -> Result<Wallet> {
    if settings.wallet_named || (settings.wallet.exists() && !dev_network) {
        return open(settings);
    }
    if dev_network {
        if std::env::var_os(PASSPHRASE).is_some() {
            eprintln!(
                "{PASSPHRASE} is not used: on a development network you pay with the development wallet, which has none\nhint: --wallet FILE names your own"
            );
        }
        return Ok(wallet::development());
    }
    bail!(
        "no wallet to pay with\nhint: meshx wallet new makes one at {}",
        settings.wallet.display()
    )
}

/// Open the wallet file, which may ask for its passphrase.
fn open(settings: &Settings) -> Result<Wallet> {
    let path = &settings.wallet;
    let bytes = client::read_plain(path, WALLET_BYTES_MAX).with_context(|| {
        format!("cannot read the wallet {}\nhint: meshx wallet new makes one", path.display())
    })?;
    let passphrase = passphrase("Passphrase", &path.display())?;
    // For whoever guesses passphrases it must take long, so it does here, too.
    eprintln!("opening the wallet, which takes some seconds");
    wallet::open(&bytes, &passphrase)
        .with_context(|| format!("cannot open the wallet {}", path.display()))
}

/// Longest wallet file that is read: a usual one has less than a kilobyte.
const WALLET_BYTES_MAX: u64 = 1 << 20;

const PASSPHRASE: &str = "MESHX_PASSPHRASE";

/// The passphrase of a wallet that exists: from `MESHX_PASSPHRASE`, or asked for on the terminal.
fn passphrase(prompt: &str, wallet: &dyn std::fmt::Display) -> Result<String> {
    if let Ok(set) = std::env::var(PASSPHRASE) {
        return Ok(set);
    }
    if !std::io::stdin().is_terminal() {
        bail!(
            "the wallet {wallet} has a passphrase, and nobody is at the terminal to type it\nhint: set MESHX_PASSPHRASE"
        );
    }
    rpassword::prompt_password(format!("{prompt}: ")).context("cannot read the passphrase")
}

/// The passphrase of a wallet that is made now, typed twice.
pub fn new_passphrase() -> Result<String> {
    if let Ok(set) = std::env::var(PASSPHRASE) {
        return Ok(set);
    }
    if !std::io::stdin().is_terminal() {
        bail!(
            "a new wallet needs a passphrase, and nobody is at the terminal to choose one\nhint: set MESHX_PASSPHRASE; empty, it leaves the file open to all who can read it"
        );
    }
    let ask =
        |prompt: &str| rpassword::prompt_password(prompt).context("cannot read the passphrase");
    let chosen = ask("Passphrase for the new wallet: ")?;
    if ask("The same again: ")? != chosen {
        bail!("the two passphrases differ, so no wallet was made");
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use args::Output;

    #[test]
    fn who_has_no_wallet_is_told_how_to_make_one() {
        let settings = Settings {
            node: None,
            chain: types::ChainId::Europe,
            wallet: "/nowhere/wallet".into(),
            wallet_named: false,
            output: Output::Table,
        };
        let refused = keys_on(&settings, false).err().unwrap().to_string();
        assert!(
            refused.contains("hint: meshx wallet new makes one at /nowhere/wallet"),
            "{refused}"
        );
        assert!(keys_on(&settings, true).is_ok(), "the development wallet is everyone's");
    }
}
