//! `meshx earnings`: what an account has earned, by how, chain by chain.

use crate::{settings::Settings, user};
use anyhow::Result;
use types::{Address, NanoMeshx};

pub fn earnings(settings: &Settings, address: Option<Address>) -> Result<()> {
    let client = user::client(settings)?;
    let address = user::address_or_own(settings, &client, address)?;
    let mut views = Vec::new();
    for status in client.status()?.chains {
        views.push(client.earnings(status.chain, address)?);
    }
    if settings.json() {
        println!("{}", serde_json::to_string(&views)?);
        return Ok(());
    }
    println!("{address}");
    let mut nothing = true;
    for view in views {
        let earned = view.earned;
        let lines = [
            ("jobs", earned.jobs),
            ("availability", earned.availability),
            ("royalties", earned.royalties),
            ("rewards", earned.rewards),
            ("commission", earned.commission),
            ("tips", earned.tips),
            ("rewards to claim", view.rewards_owed),
            ("commission to claim", view.commission_owed),
        ];
        for (how, amount) in lines.into_iter().filter(|(_, amount)| *amount > NanoMeshx::ZERO) {
            println!("{:<9} {how:<20} {amount} MESHX", view.chain.name());
            nothing = false;
        }
    }
    if nothing {
        println!("has earned nothing yet");
    }
    Ok(())
}
