//! A network to test with, and a client of it.

use api::{Backend as _, JobEvent, JobView, Wait};
use crypto::SigningKey;
use futures::StreamExt as _;
use network::Latency;
use node::{
    Net, Node, Part, Running,
    local::{Dealt, Plan, deal_network},
};
use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};
use types::{
    Abi, Action, Address, Agreement, ChainId, Float, Fuel, Hash, Height, Intent, JobSpec, Limits,
    List, Millis, NanoMeshx, Nonce, PublicKey, Submission, Tx,
};

pub const CHAIN: ChainId = ChainId::Europe;

pub fn client_key() -> SigningKey {
    SigningKey::from_seed(&[77; 32])
}

pub fn address(key: &SigningKey) -> Address {
    Address::of(&PublicKey(key.public()))
}

fn now_ms() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

pub fn plan(chains: &[ChainId], validators: usize, latency: Latency) -> Plan {
    Plan {
        name: "test".into(),
        chains: chains.to_vec(),
        validators,
        workers: 4,
        capacity: 4,
        block: Millis::new(200),
        term_blocks: 32,
        started: Millis::new(now_ms()),
        latency,
        faucets: 1,
        same_validators: false,
        accounts: vec![(address(&client_key()), "1000".parse().unwrap())],
        witnesses: vec![],
    }
}

/// Run `test` against a network in a folder of its own.
pub fn with_network<F: Future<Output = ()>>(plan: &Plan, test: impl FnOnce(Node) -> F + Send) {
    let folder = tempfile::tempdir().unwrap();
    on_network(folder.path(), plan, test);
}

pub fn on_network<F: Future<Output = ()>>(
    folder: &Path,
    plan: &Plan,
    test: impl FnOnce(Node) -> F + Send,
) {
    run_in(folder, deal_network(&[1; 32], plan), plan, test);
}

/// Run `test` against a network that was dealt, in a folder of its own.
pub fn run_dealt<F: Future<Output = ()>>(
    dealt: Dealt,
    plan: &Plan,
    test: impl FnOnce(Node) -> F + Send,
) {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), dealt, plan, test);
}

fn run_in<F: Future<Output = ()>>(
    folder: &Path,
    dealt: Dealt,
    plan: &Plan,
    test: impl FnOnce(Node) -> F + Send,
) {
    // One network at a time: on two cores, several take each other's time until blocks and tickets come too late.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (network_keys, net) = (dealt.network_keys, Net::InProcess(plan.latency.clone()));
    let parts = dealt.chains.into_iter().map(Part::from).collect();
    let folder = folder.to_owned();
    let held = node::Folder::open(&folder, "--data").expect("a folder of its own");
    node::run(&held, |context| async move {
        let running: Running =
            node::start(context, folder, network_keys, parts, net, vec![]).await.unwrap();
        while !running.node.ready() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        test(running.node.clone()).await;
        running.stop();
    });
}

/// Sends transactions in nonce order.
pub struct Client {
    pub node: Node,
    pub key: SigningKey,
}

impl Client {
    pub fn new(node: &Node) -> Self {
        Self { node: node.clone(), key: client_key() }
    }

    pub fn signed(&self, nonce: u64, action: Action) -> Tx {
        let nonce = Nonce::strict(nonce);
        let intent =
            Intent { chain: CHAIN, nonce, tip: NanoMeshx::ZERO, fee_max: Tx::ANY_FEE, action };
        let network = self.node.network_keys().network();
        let sender = PublicKey(self.key.public());
        Tx::signed(&network, sender, intent, |domain, message| self.key.sign(domain, message))
    }

    pub async fn send(&self, action: Action) -> Result<Hash, api::Problem> {
        let nonce = self.node.account(CHAIN, address(&self.key)).await?.nonce;
        Ok(self.node.submit(self.signed(nonce, action), Wait::Final).await?.tx)
    }

    pub async fn blob(&self, bytes: &[u8]) -> Hash {
        let body = api::Body::whole(bytes.to_vec());
        self.node.put_blob(None, body.chunks).await.unwrap().hash
    }

    pub async fn submission(&self, module: &[u8], input: &[u8]) -> Submission {
        let height = self.node.host(CHAIN).unwrap().chain.tip().unwrap().height;
        let limits = Limits {
            fuel: Fuel::new(100_000_000),
            memory_bytes: 64 << 20,
            output_bytes: 1 << 20,
            wall: Millis::new(10_000),
        };
        let spec = JobSpec {
            module: self.blob(module).await,
            module_len: module.len() as u64,
            abi: Abi::Wasi,
            float: Float::Strict,
            input: self.blob(input).await,
            input_len: input.len() as u64,
            args: List::default(),
            env: List::default(),
            files: List::default(),
            limits,
            profile: sandbox::profile(Float::Strict),
            seed: Hash::default(),
            clock: Millis::ZERO,
        };
        Submission {
            spec,
            agreement: Agreement { replicas: 4, agree: 3 },
            price_max: NanoMeshx::new(4_000_000),
            deadline: Height::new(height.get() + 600),
            fresh: false,
        }
    }

    /// Submit and wait until the job is over.
    pub async fn run(&self, submission: Submission) -> JobView {
        let job = self.send(Action::SubmitJob(submission)).await.unwrap();
        let mut events = self.node.job_events(Some(CHAIN), job).await.unwrap();
        let mut last = None;
        while let Some(event) = events.next().await {
            if let JobEvent::Phase(view) = event.unwrap() {
                last = Some(*view);
            }
        }
        last.expect("a job has at least one phase")
    }
}
