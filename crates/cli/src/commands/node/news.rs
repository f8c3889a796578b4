//! What a node says while it runs: lines for people, one JSON object a line for programs.

use client::units::grouped;
use edge::{News, Said, Say};
use node::Facts;
use serde_json::{Value, json};
use std::sync::Arc;

/// Results to stdout, where the caller waits for them; the rest to stderr.
pub fn said(json: bool) -> Say {
    Arc::new(move |news| match of(news) {
        Told::Result(object, _) if json => println!("{object}"),
        Told::Result(_, line) => println!("{line}"),
        Told::Note(text) => eprintln!("{text}"),
    })
}

enum Told {
    Result(Value, String),
    Note(String),
}

fn of(news: News) -> Told {
    let result = |object: Value, line: String| Told::Result(object, line);
    match news {
        News::Id(id) => result(json!({ "id": id.to_string() }), format!("id        {id}")),
        News::Worker(address, chain) => result(
            json!({ "worker": address, "chain": chain }),
            format!("worker    {address} on {chain}"),
        ),
        News::Metrics(at) => {
            let url = format!("http://{at}/metrics");
            result(json!({ "metrics": url }), format!("metrics   {url}"))
        }
        News::Join { network, address, tor } => {
            let option = if tor { " --tor" } else { "" };
            let line = format!(
                "join      meshx provide{option} --network {network} --join {address}"
            );
            result(json!({ "join": address, "network": network, "tor": tor }), line)
        }
        News::NoGateway => Told::Note(
            "no gateway answers yet\nhint: check the address of --join, and that its node runs; meshx peers --dir DIR lists the peers, and meshx doctor looks for obstacles".into(),
        ),
        News::Gateway(gateway) => {
            result(json!({ "gateway": gateway.to_string() }), format!("gateway   {gateway}"))
        }
        News::Api(url) => result(json!({ "node": url }), format!("node      {url}")),
        News::Ready | News::Work(Said::Registered) => {
            result(json!({ "ready": true }), "ready".into())
        }
        News::Stopping => Told::Note("stopping".into()),
        News::Work(Said::Ran { job, fuel }) => result(
            json!({ "ran": job, "fuel": fuel }),
            format!("ran       {job} for {} fuel", grouped(fuel)),
        ),
        News::Work(Said::NeedsMoney { address, amount }) => Told::Note(format!(
            "waiting for money: a worker puts down a bond for each place, which comes back when it leaves\nhint: meshx wallet send {address} {amount}, or on a development network meshx faucet {address}"
        )),
        News::Work(Said::Funded(amount)) => Told::Note(format!(
            "note: the faucet of this development network gave {amount} MESHX for the bond and for fees"
        )),
        News::Work(Said::PaidOut { amount, to }) => result(
            json!({ "paid": amount, "to": to }),
            format!("paid      {amount} MESHX to {to}"),
        ),
        News::Trouble(what) | News::Work(Said::Trouble(what)) => Told::Note(what),
    }
}

/// Said of a node with keys before it is ready.
pub fn began(json: bool, Facts { api, network, index, p2p }: Facts) {
    if json {
        println!(
            "{}",
            json!({ "node": format!("http://{api}"), "network": network, "index": index, "peers": p2p })
        );
        return;
    }
    println!("node      http://{api}");
    println!("network   {network}");
    println!("use       meshx network use http://{api}");
    println!("peers     {index} at {p2p}");
}
