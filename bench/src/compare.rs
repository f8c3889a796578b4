//! The same load of transfers for MeshX and for a peer, one after the other in one run.

use crate::{
    Report, TxLoad,
    peer::{PeerLoad, PeerMeasured, cometbft},
};
use ::network::Latency;
use anyhow::{Context as _, Result};
use std::path::PathBuf;

/// What `bench compare` is asked to do.
#[derive(Clone, Debug)]
pub struct CompareLoad {
    /// The program of the peer.
    pub cometbft: PathBuf,
    /// Of each network.
    pub validators: usize,
    /// Transactions per second.
    pub rate: usize,
    /// Seconds that count.
    pub seconds: usize,
    /// Seconds of the same load before.
    pub warmup: usize,
    /// Between blocks: our interval, and CometBFT's wait after a block.
    pub block_ms: u64,
    /// Where the files go; a folder of their own in the system's temporary folder if `None`.
    pub data: Option<PathBuf>,
}

/// Bytes of an encoded transfer of one nano, so that both carry as much.
const TX_BYTES: usize = 150;

/// Run the load through both.
///
/// # Errors
/// If either does not start, refuses a transaction, or stops; and as [`tx`](fn@crate::tx).
pub fn compare(load: &CompareLoad) -> Result<Report> {
    let temporary = tempfile::Builder::new().prefix("meshx-bench-").tempdir()?;
    let folder = load.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    let ours = crate::tx(&TxLoad {
        validators: load.validators,
        shards: 1,
        rate: load.rate,
        seconds: load.seconds,
        warmup: load.warmup,
        senders: 1_000,
        accounts: 10_000,
        block_ms: load.block_ms,
        latency: Latency::none(),
        latency_model: String::new(),
        data: Some(folder.join("meshx")),
    })
    .context("MeshX")?;
    let theirs = PeerLoad {
        cometbft: load.cometbft.clone(),
        validators: load.validators,
        rate: load.rate,
        seconds: load.seconds,
        warmup: load.warmup,
        commit_ms: load.block_ms,
        tx_bytes: TX_BYTES,
    };
    let theirs = cometbft(&theirs, &folder.join("cometbft")).context("CometBFT")?;
    let mut report = Report::new("compare", &folder);
    report.load("transactions_per_second", load.rate);
    report.load("seconds", load.seconds);
    report.load("warmup_seconds", load.warmup);
    report.load("validators", load.validators);
    report.load("block_interval_ms", load.block_ms);
    report.load("peer", format!("CometBFT {} with its kvstore", theirs.version));
    report.load(
        "meshx_checks",
        "an Ed25519 signature and the balance of each transfer; its state has proofs",
    );
    report.load("cometbft_checks", "the form of each transaction; its state has none");
    report.latency_model =
        "none: MeshX's validators share a process, CometBFT's are processes on loopback".into();
    fill(&mut report, load, &ours, &theirs);
    Ok(report)
}

fn fill(report: &mut Report, load: &CompareLoad, ours: &Report, theirs: &PeerMeasured) {
    let of_ours =
        |name: &str| ours.results.get(name).and_then(serde_json::Value::as_f64).unwrap_or(0.0);
    let rows = [
        ("per_second", "transfers_per_second", theirs.txs_per_second),
        ("finality_p50_ms", "finality_p50_ms", theirs.finality_p50_ms),
        ("finality_p99_ms", "finality_p99_ms", theirs.finality_p99_ms),
        (
            "cpu_us_each_per_validator",
            "cpu_us_per_transfer_per_validator",
            theirs.cpu_us_per_tx_per_validator,
        ),
    ];
    for (name, in_ours, cometbft) in rows {
        let meshx = of_ours(in_ours);
        report.figure(&format!("meshx_{name}"), meshx);
        report.figure(&format!("cometbft_{name}"), cometbft);
        report.figure(&format!("ratio_{name}"), meshx / cometbft.max(f64::MIN_POSITIVE));
    }
    report.result("meshx_supply", ours.results.get("supply").cloned().unwrap_or_default());
    report.result("cometbft_transactions", theirs.txs);
    report.notes.extend(ours.notes.iter().map(|note| format!("MeshX: {note}")));
    report.rate("transactions with CometBFT", load.rate, theirs.txs_per_second, theirs.held_back);
}
