//! `meshx network`: which networks this machine knows, and which one commands talk to.

use crate::{network, settings::Settings};
use anyhow::{Context as _, Result};
use api::Client;
use args::NetworkVerb;
use client::home::{self, Chosen};
use serde_json::json;

pub fn network(settings: &Settings, verb: &NetworkVerb) -> Result<()> {
    match verb {
        NetworkVerb::List => list(settings),
        NetworkVerb::Use { url } if url == "local" => {
            home::choose(None)?;
            if settings.json() {
                println!("{}", json!({ "network": null, "node": null }));
            } else {
                eprintln!(
                    "no network is chosen: commands talk to the mesh that runs on this machine"
                );
            }
            Ok(())
        }
        NetworkVerb::Use { url } => choose(settings, url),
    }
}

fn list(settings: &Settings) -> Result<()> {
    let current = network::find(settings).ok().flatten().map(|current| current.status.network);
    let known = home::networks()?;
    if settings.json() {
        let rows: Vec<_> = known
            .iter()
            .map(|keys| {
                let id = keys.network();
                json!({ "network": id, "name": keys.name, "dev_dealer": keys.dev_dealer, "current": current == Some(id) })
            })
            .collect();
        println!("{}", json!(rows));
        return Ok(());
    }
    println!("  {:64}  NAME", "NETWORK");
    for keys in known {
        let id = keys.network();
        let mark = if current == Some(id) { "*" } else { " " };
        let dealt = if keys.dev_dealer { " (development keys)" } else { "" };
        println!("{mark} {id}  {}{dealt}", keys.name);
    }
    Ok(())
}

/// Talk to the network of the node at this address from now on.
fn choose(settings: &Settings, node: &str) -> Result<()> {
    let status = Client::new(node)?.status().with_context(|| {
        format!("cannot choose the network of {node}\nhint: name a node of it that runs now")
    })?;
    home::choose(Some(&Chosen { network: status.network, node: node.to_owned() }))?;
    if settings.json() {
        println!("{}", json!({ "network": status.network, "name": status.name, "node": node }));
    } else {
        println!("{} {} at {node}", status.name, status.network);
    }
    Ok(())
}
