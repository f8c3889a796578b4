//! `meshx faucet`: money on a development network.

use crate::{settings::Settings, user};
use anyhow::Result;
use api::FaucetAsked;
use args::Faucet;
use types::ChainId;

pub fn faucet(settings: &Settings, asked: &Faucet) -> Result<()> {
    let client = user::client(settings)?;
    let address = user::address_or_own(settings, &client, asked.address)?;
    let mut given = Vec::new();
    for chain in [settings.chain, ChainId::Backbone] {
        let gave = client.faucet(&FaucetAsked { chain, address, amount: None })?;
        if !settings.json() {
            println!("{} MESHX on {chain} for {address}", gave.amount);
        }
        given.push(serde_json::json!({ "chain": chain, "amount": gave.amount, "tx": gave.tx }));
    }
    if settings.json() {
        println!("{}", serde_json::json!({ "address": address, "given": given }));
    }
    Ok(())
}
