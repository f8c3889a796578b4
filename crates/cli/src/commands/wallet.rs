//! `meshx wallet …`: make, show, restore and use wallets.

use crate::{network, settings::Settings, user};
use anyhow::{Context as _, Result};
use args::{WalletCommand, WalletVerb};
use client::wallet::{self, Mnemonic};
use serde_json::json;
use std::io::{IsTerminal as _, Read as _};
use types::{Action, Address, NanoMeshx};

pub fn wallet(settings: &Settings, command: &WalletCommand) -> Result<()> {
    match &command.verb {
        WalletVerb::New => new(settings),
        WalletVerb::Show => show(settings),
        WalletVerb::Import => import(settings),
        WalletVerb::Send { to, amount } => send(settings, *to, *amount),
    }
}

fn new(settings: &Settings) -> Result<()> {
    let words =
        Mnemonic::from_entropy(&wallet::random::<32>()?).context("32 bytes make 24 words")?;
    let address = keep(settings, &words)?;
    if settings.json() {
        println!(
            "{}",
            json!({ "address": address, "wallet": settings.wallet, "words": *words.phrase() })
        );
        return Ok(());
    }
    println!("{address}");
    eprintln!(
        "recovery words, shown only once; anyone who has them can take the money:\n\n  {}\n",
        *words.phrase()
    );
    eprintln!("wallet {}", settings.wallet.display());
    Ok(())
}

fn import(settings: &Settings) -> Result<()> {
    if std::io::stdin().is_terminal() {
        eprintln!("type the recovery words, then Ctrl-D:");
    }
    let mut phrase = String::new();
    std::io::stdin()
        .take(4_096)
        .read_to_string(&mut phrase)
        .context("cannot read the recovery words")?;
    let words = Mnemonic::parse(&phrase)?;
    let address = keep(settings, &words)?;
    if settings.json() {
        println!("{}", json!({ "address": address, "wallet": settings.wallet }));
    } else {
        println!("{address}");
    }
    Ok(())
}

/// Seal the words into the wallet file, which must not exist.
fn keep(settings: &Settings, words: &Mnemonic) -> Result<Address> {
    let path = &settings.wallet;
    if path.exists() {
        // Before the passphrase is asked for.
        return Err(wallet::NotKept::Exists(path.clone()).into());
    }
    let passphrase = user::new_passphrase()?;
    eprintln!("sealing the wallet, which takes some seconds");
    Ok(wallet::create(path, words, &passphrase)?)
}

fn show(settings: &Settings) -> Result<()> {
    // The address needs no network.
    let found = network::find(settings);
    let unknown = found.as_ref().err().map(ToString::to_string);
    let current = found.ok().flatten();
    let dev_network = current.as_ref().is_some_and(|current| current.status.dev_dealer);
    let address = wallet::address(&wallet::paying(&user::keys_on(settings, dev_network)?));
    let account = current.and_then(|current| current.client.account(settings.chain, address).ok());
    if settings.json() {
        println!("{}", json!({ "address": address, "account": account }));
        return Ok(());
    }
    println!("{address}");
    if user::is_development(settings, dev_network) {
        eprintln!(
            "this is the development wallet, which is everyone's and has no passphrase\nhint: --wallet FILE shows your own"
        );
    }
    match account {
        Some(account) => {
            println!("{} MESHX on {} (block {})", account.balance, account.chain, account.height)
        }
        None => {
            let why = unknown.unwrap_or_else(|| "no node answers".to_owned());
            eprintln!("the balance is not known: {why}");
        }
    }
    Ok(())
}

fn send(settings: &Settings, to: Address, amount: NanoMeshx) -> Result<()> {
    let client = user::client(settings)?;
    let key = user::paying_key(settings, &client)?;
    let done = client::act(&client, &key, settings.chain, Action::Transfer { to, amount })?;
    if settings.json() {
        println!("{}", serde_json::to_string(&done)?);
    } else {
        println!("sent {amount} MESHX to {to}, block {}", done.height.unwrap_or_default());
    }
    Ok(())
}
