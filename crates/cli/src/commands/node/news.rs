//! What a node says while it runs.

use edge::{News, Said, Say};
use node::Facts;
use std::sync::Arc;

/// Results to stdout, where the caller waits for them; the rest to stderr.
pub fn said() -> Say {
    Arc::new(|news| match news {
        News::Id(id) => println!("id        {id}"),
        News::Worker(address, chain) => println!("worker    {address} on {chain}"),
        News::Metrics(at) => println!("metrics   http://{at}/metrics"),
        News::Join { network, address, tor } => {
            let tor = if tor { "--tor " } else { "" };
            println!(
                "join      meshx node start --role edge {tor}--dir DIR --network {network} --join {address}"
            );
        }
        News::NoGateway => eprintln!(
            "no gateway answers yet\nhint: check the address of --join, and that its node runs; meshx peers --dir DIR lists the peers, and meshx doctor looks for obstacles"
        ),
        News::Gateway(gateway) => println!("gateway   {gateway}"),
        News::Api(url) => println!("node      {url}"),
        News::Ready | News::Work(Said::Registered) => println!("ready"),
        News::Stopping => eprintln!("stopping"),
        News::Work(Said::Ran { job, fuel }) => println!("ran       {job} for {fuel} fuel"),
        News::Work(Said::NeedsMoney(address)) => eprintln!(
            "waiting for money: registering costs a fee\nhint: meshx wallet send {address} 0.01, or on a development network meshx faucet"
        ),
        News::Trouble(what) | News::Work(Said::Trouble(what)) => eprintln!("{what}"),
    })
}

/// Said of a node with keys before it is ready.
pub fn began(Facts { api, network, index, p2p }: Facts) {
    println!("node      http://{api}");
    println!("network   {network}");
    println!("peers     {index} at {p2p}");
}
