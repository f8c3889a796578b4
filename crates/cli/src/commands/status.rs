//! `meshx status`: all chains of a network.

use crate::{settings::Settings, user};
use anyhow::Result;
use api::NetworkStatus;

pub fn status(settings: &Settings) -> Result<()> {
    let status = user::client(settings)?.status()?;
    if settings.json() {
        println!("{}", serde_json::to_string(&status)?);
        return Ok(());
    }
    print(&status);
    Ok(())
}

pub fn print(status: &NetworkStatus) {
    let keys = if status.dev_dealer { " (development keys)" } else { "" };
    println!("{} {}{keys}", status.name, status.network);
    println!(
        "{:9} {:>8} {:>12} {:>12} {:>9} {:>6} {:>11} {:>8}",
        "CHAIN",
        "HEIGHT",
        "FINALITY P50",
        "FINALITY P99",
        "BLOCKS/S",
        "TERM",
        "VALIDATORS",
        "WORKERS"
    );
    for chain in &status.chains {
        let ms = |figure: Option<types::Millis>| {
            figure.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms"))
        };
        let rate =
            chain.blocks_per_second.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.2}"));
        println!(
            "{:9} {:>8} {:>12} {:>12} {rate:>9} {:>6} {:>11} {:>8}",
            chain.chain,
            chain.height,
            ms(chain.finality_ms_p50),
            ms(chain.finality_ms_p99),
            chain.term.get(),
            chain.validators,
            chain.workers
        );
    }
    for chain in &status.chains {
        if let Some(why) = chain.standstill() {
            println!("{} stands still: {why}", chain.chain);
        }
    }
}
