//! `meshx peers`: the peers that a node on this machine is connected to.

use crate::settings::Settings;
use anyhow::{Context as _, Result, bail};
use args::Peers;
use serde_json::Value;
use std::fs;

pub fn peers(settings: &Settings, args: &Peers) -> Result<()> {
    let path = args.dir.join("peers.json");
    let text = fs::read_to_string(&path).with_context(|| {
        format!("cannot read {}\nhint: check that a node runs with that folder", path.display())
    })?;
    if let Some(id) = &args.find {
        return find(settings, &text, id);
    }
    if settings.json() {
        println!("{text}");
        return Ok(());
    }
    let status: Value = serde_json::from_str(&text).context("the file of peers is damaged")?;
    let list = |name: &str| -> Vec<String> {
        let values = status[name].as_array().cloned().unwrap_or_default();
        values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    let shown = |values: Vec<String>, none: &str| {
        if values.is_empty() { none.to_owned() } else { values.join(" ") }
    };
    println!("id            {}", status["id"].as_str().unwrap_or("?"));
    println!("listens at    {}", shown(list("listen"), "nowhere: it is reached through relays"));
    println!("reached at    {}", shown(list("reachable_at"), "not known yet"));
    if let Some([by, at]) = status["mapped"].as_array().map(Vec::as_slice) {
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        println!("router        forwards {} ({})", text(at), text(by));
    }
    if let Some(onion) = status["onion"].as_str() {
        println!("onion service {onion}");
    }
    if let Some(height) = status["newest"].as_u64() {
        println!("final         block {height}, proved by others");
    }
    println!("relays        {}", shown(list("relays"), "none"));
    println!("table         {} nodes", status["table"]);
    println!("turned away   {}", status["turned_away"]);
    println!("kept out      {}", status["banned"]);
    println!("\n{:<54} {:<12} {:>8}  {:<14} {}", "peer", "path", "rtt ms", "agent", "address");
    for peer in status["peers"].as_array().into_iter().flatten() {
        let rtt = peer["rtt_ms"].as_f64().map_or("-".to_owned(), |rtt| format!("{rtt:.1}"));
        println!(
            "{:<54} {:<12} {rtt:>8}  {:<14} {}",
            peer["peer"].as_str().unwrap_or("?"),
            peer["path"].as_str().unwrap_or("?"),
            peer["agent"].as_str().unwrap_or("-"),
            peer["address"].as_str().unwrap_or("?"),
        );
    }
    Ok(())
}

/// What the node's overlay finds out about another one.
fn find(settings: &Settings, status: &str, id: &str) -> Result<()> {
    let status: Value = serde_json::from_str(status).context("the file of peers is damaged")?;
    let at = status["metrics"]
        .as_str()
        .context("that node answers no requests\nhint: start it with --metrics 127.0.0.1:9108")?;
    let text = edge::watch::ask(at, &format!("/peers/{id}"))?;
    let record: Value = serde_json::from_str(&text).context("the node did not answer with JSON")?;
    if let Some(error) = record["error"].as_str() {
        bail!("{error}");
    }
    if settings.json() {
        println!("{record}");
        return Ok(());
    }
    let words = |name: &str| -> String {
        let values = record[name].as_array().cloned().unwrap_or_default();
        values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
    };
    println!("id         {id}");
    println!("roles      {} on {}", words("roles"), record["chain"].as_str().unwrap_or("?"));
    println!("addresses  {}", words("addresses"));
    Ok(())
}
