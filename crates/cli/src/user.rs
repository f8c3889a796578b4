//! The user: the node they talk to, and the keys they pay with.

use crate::{network, settings::Settings};
use anyhow::{Context as _, Result, bail};
use api::Client;
use client::wallet::{self, SigningKey, Wallet};
use std::{fs, io::IsTerminal as _};
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

/// The keys to use: the user's wallet, or on a network of development keys the public development wallet.
pub fn keys_on(settings: &Settings, dev_network: bool) -> Result<Wallet> {
    if settings.wallet_named || (settings.wallet.exists() && !dev_network) {
        return open(settings);
    }
    if dev_network {
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
    let bytes = fs::read(path).with_context(|| {
        format!("cannot read the wallet {}\nhint: meshx wallet new makes one", path.display())
    })?;
    wallet::open(&bytes, &passphrase("Passphrase")?)
        .with_context(|| format!("cannot open the wallet {}", path.display()))
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
