//! What a node says about itself and about transactions of the past.

use crate::host::{Host, Node};
use api::Submitted;
use std::fmt::Write as _;
use types::{Address, Height, Millis, Nonce, TxId};

/// How many blocks back a repeated transaction is looked for.
const REPEAT_BLOCKS_MAX: u64 = 1_200;

/// Metrics in Prometheus' text form.
pub(crate) fn metrics(node: &Node) -> String {
    let mut text = String::new();
    let mut family = |kind: &str, name: &str, help: &str, value: &dyn Fn(&Host) -> u64| {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (chain, host) in node.hosts.iter() {
            let _ = writeln!(text, "{name}{{chain=\"{chain}\"}} {}", value(host));
        }
    };
    let tip = |host: &Host| host.chain.tip();
    let finality = |host: &Host, n: usize| host.seen().finality(n).map_or(0, Millis::get);
    family("gauge", "meshx_chain_height", "Height of the newest final block.", &|host| {
        tip(host).map_or(0, |t| t.height.get())
    });
    family("gauge", "meshx_chain_view", "View of the newest final block.", &|host| {
        tip(host).map_or(0, |t| t.view)
    });
    family(
        "gauge",
        "meshx_chain_silence_milliseconds",
        "How long this node has seen no new block.",
        &|host| u64::try_from(host.seen().silence().as_millis()).unwrap_or(u64::MAX),
    );
    family(
        "gauge",
        "meshx_validators_answering",
        "Members of the committee that voted in the last half minute, as far as this node heard.",
        &|host| host.answering() as u64,
    );
    family("gauge", "meshx_mempool_txs", "Transactions that wait for a block here.", &|host| {
        host.chain.waiting() as u64
    });
    family("counter", "meshx_txs_final_total", "Transactions in final blocks.", &|host| {
        host.seen().counts().txs
    });
    family("counter", "meshx_jobs_settled_total", "Jobs that ended with a result.", &|host| {
        host.seen().counts().jobs_settled
    });
    family("counter", "meshx_jobs_ended_total", "Jobs that ended without a result.", &|host| {
        host.seen().counts().jobs_ended
    });
    family(
        "counter",
        "meshx_signatures_checked_total",
        "Transactions' signatures checked by this node's first validator of the chain.",
        &|host| host.chain.signatures_checked(),
    );
    family(
        "gauge",
        "meshx_finality_p50_milliseconds",
        "From a block's timestamp to its finality here, median of the last 120 blocks.",
        &|host| finality(host, 50),
    );
    family("gauge", "meshx_finality_p99_milliseconds", "The same, 99th percentile.", &|host| {
        finality(host, 99)
    });
    let _ = writeln!(
        text,
        "# HELP meshx_blob_bytes Bytes in the blob store.\n# TYPE meshx_blob_bytes gauge\nmeshx_blob_bytes {}",
        node.store.bytes_used()
    );
    text
}

/// Where transaction `id` of `sender` went, if it is in one of the newest blocks.
pub(crate) async fn find_tx(
    host: &Host,
    id: TxId,
    sender: &Address,
    nonce: Nonce,
) -> Option<Submitted> {
    let tip = host.chain.tip()?.height.get();
    for height in (tip.saturating_sub(REPEAT_BLOCKS_MAX)..=tip).rev() {
        let block = host.chain.block(Height::new(height)).await?;
        for tx in block.body.txs.iter() {
            if tx.from() == *sender && tx.nonce == nonce {
                let same = tx.id() == id;
                let chain = host.chain.id();
                let view = Submitted {
                    tx: id,
                    chain,
                    height: Some(block.header.height),
                    block: Some(block.header.id()),
                };
                // Another transaction has used the nonce, so this one is in no block and never will be.
                return same.then_some(view);
            }
        }
    }
    None
}
