//! Answers to the API, from the chains' own state.

use crate::{
    duties, explain,
    host::{Host, Node, workers_of},
    listed::ListedJob,
    receipts::{NoReceipt, receipt},
};
use api::{
    AccountView, Assurance, AttestationView, Backend, BlobView, BlockView, Body, ChunkReader,
    Chunks, Code, EarningsView, Events, FaucetAsked, FaucetGave, Hex, JobEvent, JobView, JobsQuery,
    MarketView, NetworkStatus, Output, Page, PeriodView, PresenceView, Problem, ProofKey,
    ProofView, Reason, StakeView, Submitted, ValidatorView, Wait, Why, WorkerView, WorkersQuery,
    chunk_pipe,
};
use blobs::BlobError;
use consensus::{Final, SubmitError};
use futures::{StreamExt as _, stream};
use std::{cmp::Reverse, collections::VecDeque, io::Write as _, sync::Arc, time::Duration};
use tokio::sync::broadcast::error::RecvError;
use types::{
    Address, ChainId, EquivocationProof, Hash, Height, JobId, Outcome, OutputList, Tx,
    codec::Encode as _,
    governance::Proposal,
    state::{Event, JobRecord, Key, Params, Phase, WorkerRecord},
};

/// How long `?wait=final` waits.
const FINAL_TIMEOUT: Duration = Duration::from_secs(60);
/// Most workers that `why` looks at.
const WHY_WORKERS_MAX: u32 = 1_000;

pub(crate) type Answer<T> = Result<T, Problem>;

impl Node {
    pub(crate) fn on(&self, chain: ChainId) -> Answer<&Host> {
        self.host(chain).ok_or_else(|| {
            Problem::new(Code::UnknownChain, format!("this node does not run chain {chain}"))
                .hint("meshx status (GET /v1/status) lists its chains")
        })
    }

    pub(crate) async fn params_of(&self, chain: ChainId) -> Answer<Params> {
        self.on(chain)?
            .chain
            .params()
            .await
            .ok_or_else(|| Problem::new(Code::NotReady, "the chain has no final block yet"))
    }

    /// What a job has settled on.
    async fn outcome(&self, chain: Option<ChainId>, job: JobId) -> Answer<Outcome> {
        match self.job_record(chain, job).await?.1.phase {
            Phase::Settled(settlement) => Ok(settlement.outcome),
            _ => Err(Problem::new(Code::NotSettled, "the job has no agreed result").hint(format!(
                "meshx why {job} (GET /v1/jobs/{job}/why) explains the state of the job"
            ))),
        }
    }

    /// A blob of a job's result. The workers that ran the job may be of other nodes, which keep its outputs.
    async fn fetched(&self, hash: Hash) -> Answer<Body> {
        self.fetch_blob(hash)
            .await
            .map_err(|error| Problem::new(Code::UnknownBlob, error.to_string()))?;
        self.blob(hash).await
    }

    /// A job's record and where it was found: on `chain`, or on any.
    async fn job_record(&self, chain: Option<ChainId>, job: JobId) -> Answer<(&Host, JobRecord)> {
        let hosts: Vec<&Host> = match chain {
            Some(chain) => vec![self.on(chain)?],
            None => self.hosts.values().collect(),
        };
        for host in hosts {
            if let Some(record) = host.chain.record(Key::Job(job)).await {
                return Ok((host, record));
            }
        }
        let detail = chain.map_or_else(
            || format!("no chain of this node knows job {job}"),
            |chain| format!("chain {chain} does not know job {job}"),
        );
        Err(Problem::new(Code::UnknownJob, detail).hint("check the id and the network"))
    }

    async fn view(&self, chain: Option<ChainId>, job: JobId) -> Answer<JobView> {
        let (host, record) = self.job_record(chain, job).await?;
        let chain = host.chain.id();
        let height = host.chain.tip().map_or(Height::ZERO, |tip| tip.height);
        let assurance = match &record.phase {
            Phase::Settled(settlement) => Assurance {
                level: receipt::assurance(settlement).to_string(),
                simulated: self.network_keys.dev_dealer,
            },
            _ => Assurance { level: "none".to_owned(), simulated: self.network_keys.dev_dealer },
        };
        let submitted_at = host.submitted_at(&job, record.submitted).await;
        Ok(JobView { job, chain, height, record, assurance, submitted_at })
    }
}

fn blob_problem(error: BlobError) -> Problem {
    match error {
        BlobError::TooLong => Problem::new(Code::PayloadTooLarge, error.to_string()),
        BlobError::Full { .. } => Problem::new(Code::StorageFull, error.to_string()),
        BlobError::WrongHash { .. } => Problem::new(Code::HashMismatch, error.to_string()),
        BlobError::NotFound(_) => Problem::new(Code::UnknownBlob, error.to_string()),
        BlobError::Source(source) => {
            Problem::new(Code::BadRequest, format!("the upload ended early: {source}"))
        }
        other => Problem::internal(other),
    }
}

pub(crate) fn refusal_problem(error: &SubmitError) -> Problem {
    Problem::new(error.code(), error.to_string())
}

fn receipt_problem(error: NoReceipt) -> Problem {
    let code = match &error {
        NoReceipt::UnknownJob(_) => Code::UnknownJob,
        NoReceipt::NotSettled => Code::NotSettled,
        NoReceipt::NotProved => Code::Timeout,
        NoReceipt::Pruned => Code::Pruned,
    };
    Problem::new(code, error.to_string())
}

/// Hand a blocking reader out as a body.
fn body(len: Option<u64>, mut reader: impl std::io::Read + Send + 'static) -> Body {
    let (mut writer, chunks) = chunk_pipe();
    tokio::task::spawn_blocking(move || {
        let copied = std::io::copy(&mut reader, &mut writer).and_then(|_| writer.flush());
        if let Err(error) = copied {
            writer.fail(Problem::internal(error));
        }
    });
    Body { len, chunks }
}

impl Backend for Node {
    async fn genesis(&self) -> Answer<axum::body::Bytes> {
        Ok(self.network_keys.encode())
    }

    async fn metrics(&self) -> Answer<String> {
        Ok(explain::metrics(self))
    }

    async fn status(&self) -> Answer<NetworkStatus> {
        let mut chains = Vec::new();
        for host in self.hosts.values() {
            chains.push(host.status().await);
        }
        Ok(NetworkStatus {
            network: self.network_keys.network(),
            name: self.network_keys.name.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            dev_dealer: self.network_keys.dev_dealer,
            join: self.join().to_vec(),
            chains,
        })
    }

    async fn params(&self, chain: ChainId) -> Answer<Params> {
        self.params_of(chain).await
    }

    async fn market(&self, chain: ChainId) -> Answer<MarketView> {
        self.market_view(chain).await
    }

    async fn validators(&self) -> Answer<Vec<ValidatorView>> {
        self.validator_views().await
    }

    async fn stake(&self, address: Address) -> Answer<StakeView> {
        self.stake_view(address).await
    }

    async fn earnings(&self, chain: ChainId, address: Address) -> Answer<EarningsView> {
        self.earnings_view(chain, address).await
    }

    async fn attestation(&self, chain: ChainId, address: Address) -> Answer<AttestationView> {
        self.attestation_view(chain, address).await
    }

    async fn presence(&self, address: Address) -> Answer<PresenceView> {
        self.presence_view(address).await
    }

    async fn period(&self) -> Answer<PeriodView> {
        self.period_view().await
    }

    async fn proposals(&self) -> Answer<Vec<Proposal>> {
        self.proposal_records().await
    }

    async fn equivocations(&self) -> Answer<Vec<EquivocationProof>> {
        Ok(self.hosts.values().flat_map(|host| host.chain.equivocations()).collect())
    }

    async fn faucet(&self, asked: FaucetAsked) -> Answer<FaucetGave> {
        self.give(asked).await
    }

    async fn account(&self, chain: ChainId, address: Address) -> Answer<AccountView> {
        let chain_handle = &self.on(chain)?.chain;
        let tip = chain_handle
            .tip()
            .ok_or_else(|| Problem::new(Code::NotReady, "the chain has no final block yet"))?;
        let account = chain_handle.account(address).await;
        let nonce = chain_handle.next_nonce(address).await;
        Ok(AccountView { address, chain, balance: account.balance, nonce, height: tip.height })
    }

    async fn submit(&self, tx: Tx, wait: Wait) -> Answer<Submitted> {
        let chain = tx.chain;
        let host = self.on(chain)?;
        let (id, sender, nonce) = (tx.id(), tx.from(), tx.nonce);
        tracing::info!(trace = %id, %chain, %sender, %nonce, "submitted");
        // Before the submission: what becomes of it must not be missed, however quickly its block is final.
        let fate = host.chain.watch(id);
        if let Err(error) = host.chain.submit(tx).await {
            // The same transaction again: it is in a block already, so say which.
            let used = matches!(error.code(), Code::NonceUsed | Code::TxSpent | Code::TxExpired);
            return match if used { explain::find_tx(host, id, &sender, nonce).await } else { None }
            {
                Some(view) => Ok(view),
                None => Err(refusal_problem(&error)),
            };
        }
        if wait == Wait::None {
            return Ok(Submitted { tx: id, chain, height: None, block: None });
        }
        match tokio::time::timeout(FINAL_TIMEOUT, fate).await {
            Ok(Ok(fate)) => {
                match fate.into_final() {
                    Ok((height, block)) => {
                        Ok(Submitted { tx: id, chain, height: Some(height), block: Some(block) })
                    }
                    Err(error @ SubmitError::Displaced) => Err(refusal_problem(&error)
                        .hint("ask for the account's nonce and sign it again")),
                    Err(error) => Err(refusal_problem(&error)),
                }
            }
            _ => Err(Problem::new(
                Code::Timeout,
                format!("transaction {id} is not final after a minute"),
            )
            .hint("it may still become so; send the same transaction again to ask")),
        }
    }

    async fn put_blob(&self, expected: Option<Hash>, content: Chunks) -> Answer<BlobView> {
        let store = self.store.clone();
        let reader = ChunkReader::new(content);
        let writing = tokio::task::spawn_blocking(move || match expected {
            Some(hash) => store.put_expected(hash, reader),
            None => store.put(reader),
        });
        let blob = writing.await.map_err(Problem::internal)?.map_err(blob_problem)?;
        Ok(BlobView { hash: blob.hash, len: blob.len })
    }

    async fn blob_len(&self, hash: Hash) -> Answer<u64> {
        self.store.len(hash).map_err(blob_problem)
    }

    async fn blob(&self, hash: Hash) -> Answer<Body> {
        let store = self.store.clone();
        let opened = tokio::task::spawn_blocking(move || store.open_verified(hash))
            .await
            .map_err(Problem::internal)?;
        let reader = opened.map_err(blob_problem)?;
        Ok(body(Some(reader.blob().len), reader))
    }

    async fn blob_encoded(&self, hash: Hash) -> Answer<Body> {
        self.store.len(hash).map_err(blob_problem)?;
        let (mut writer, chunks) = chunk_pipe();
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || {
            let encoded = store
                .encode(hash, &mut writer)
                .and_then(|()| writer.flush().map_err(BlobError::Sink));
            if let Err(error) = encoded {
                writer.fail(Problem::internal(error));
            }
        });
        Ok(Body { len: None, chunks })
    }

    async fn jobs(&self, query: JobsQuery) -> Answer<Page<JobView>> {
        let hosts: Vec<&Host> = match query.chain {
            Some(chain) => vec![self.on(chain)?],
            None => self.hosts.values().collect(),
        };
        let of = |host: &&Host| {
            let chain = host.chain.id();
            let jobs: Vec<_> = host.seen().jobs().of(query.payer).collect();
            jobs.into_iter().map(move |job| (chain, job))
        };
        let mut listed: Vec<(ChainId, ListedJob)> = hosts.iter().flat_map(of).collect();
        // Chains have clocks and heights of their own, so the time of the block decides; within a chain, its order.
        listed.sort_by_key(|(_, job)| Reverse(job.at));
        let seen: Vec<(ChainId, JobId)> =
            listed.into_iter().map(|(chain, listed)| (chain, listed.job)).collect();
        let start = match &query.cursor {
            None => 0,
            Some(cursor) => {
                let after: Hash = cursor
                    .parse()
                    .map_err(|error| Problem::new(Code::BadRequest, format!("cursor: {error}")))?;
                // A job that has fallen out of the list ends the pages, instead of beginning them again.
                seen.iter().position(|(_, job)| *job == after).map_or(seen.len(), |place| place + 1)
            }
        };
        let mut items = Vec::new();
        for (chain, job) in seen.iter().skip(start).take(query.limit) {
            items.push(self.view(Some(*chain), *job).await?);
        }
        let more = seen.len() > start + items.len();
        let next = items.last().filter(|_| more).map(|view| view.job.to_string());
        Ok(Page { items, next })
    }

    async fn job(&self, chain: Option<ChainId>, job: JobId) -> Answer<JobView> {
        self.view(chain, job).await
    }

    async fn output(&self, chain: Option<ChainId>, job: JobId, output: Output) -> Answer<Body> {
        let outcome = self.outcome(chain, job).await?;
        self.fetched(match output {
            Output::Stdout => outcome.stdout.hash,
            Output::Stderr => outcome.stderr.hash,
        })
        .await
    }

    async fn output_file(
        &self,
        chain: Option<ChainId>,
        job: JobId,
        content: Option<Hash>,
    ) -> Answer<Body> {
        let outcome = self.outcome(chain, job).await?;
        let unknown = |detail: &str| Problem::new(Code::UnknownBlob, detail.to_owned());
        let files = outcome.status.files().ok_or_else(|| unknown("the job left no files"))?;
        let Some(content) = content else { return self.fetched(files.list.hash).await };
        self.fetch_blob(files.list.hash).await.map_err(|error| unknown(&error.to_string()))?;
        if self.store.len(files.list.hash).map_err(blob_problem)? > OutputList::BYTES_MAX {
            return Err(unknown("the list of the job's files is too long"));
        }
        let list = self.store.get(files.list.hash).map_err(blob_problem)?;
        let list =
            OutputList::checked(&list, &files).map_err(|error| unknown(&error.to_string()))?;
        // Nobody has other nodes' blobs fetched through a job that does not name them.
        if !list.files.iter().any(|file| file.content.hash == content) {
            return Err(unknown("the job left no file with this content"));
        }
        self.fetched(content).await
    }

    async fn receipt(&self, chain: Option<ChainId>, job: JobId) -> Answer<axum::body::Bytes> {
        let (host, _) = self.job_record(chain, job).await?;
        let receipt =
            receipt(&self.network_keys, &host.chain, job).await.map_err(receipt_problem)?;
        tracing::info!(trace = %job, "receipt");
        Ok(receipt.to_bytes().into())
    }

    async fn why(&self, chain: Option<ChainId>, job: JobId) -> Answer<Why> {
        let (host, record) = self.job_record(chain, job).await?;
        let handle = &host.chain;
        let count: u32 = handle.record(Key::WorkerCount).await.unwrap_or(0);
        let mut workers = Vec::new();
        for index in 0..count.min(WHY_WORKERS_MAX) {
            let Some(address) = handle.record::<Address>(Key::WorkerAt(index)).await else {
                continue;
            };
            if let Some(worker) = handle.record::<WorkerRecord>(Key::Worker(address)).await {
                workers.push((address, worker));
            }
        }
        let now = handle.tip().map_or(Height::ZERO, |tip| tip.height);
        let params = self.params(handle.id()).await?;
        let mut reasons: Vec<Reason> = chain::why(&record, &workers, &params, now)
            .into_iter()
            .map(|reason| Reason {
                worker: reason.worker,
                rule: reason.rule.to_owned(),
                detail: reason.detail,
            })
            .collect();
        let mut verdict = if reasons.is_empty() { String::new() } else { reasons.remove(0).detail };
        let over = matches!(record.phase, Phase::Settled(_) | Phase::Ended { .. });
        // Nothing that the rules say happens while there are no blocks.
        if let (Some(standstill), false) = (host.status().await.standstill(), over) {
            verdict = format!("the chain stands still: {standstill}; when it goes on: {verdict}");
        }
        Ok(Why { verdict, reasons })
    }

    async fn job_events(&self, chain: Option<ChainId>, job: JobId) -> Answer<Events<JobEvent>> {
        let first = self.view(chain, job).await?;
        let chain = first.chain;
        let finals = self.on(chain)?.chain.finals();
        // Look again now that the feed is open, so that no change falls between the two.
        let first = self.view(Some(chain), job).await.unwrap_or(first);
        let state = (self.clone(), finals, Some(first), false);
        let events = stream::unfold(state, move |(node, mut finals, first, over)| async move {
            if over {
                return None;
            }
            let view = match first {
                Some(view) => view,
                None => loop {
                    let changed = match finals.recv().await {
                        Ok(block) => mentions(&block, &job),
                        Err(RecvError::Lagged(_)) => true,
                        Err(RecvError::Closed) => return None,
                    };
                    if changed {
                        break node.view(Some(chain), job).await.ok()?;
                    }
                },
            };
            let over = view.is_over();
            Some((Ok(JobEvent::Phase(Box::new(view))), (node, finals, None, over)))
        });
        Ok(events.boxed())
    }

    async fn workers(&self, query: WorkersQuery) -> Answer<Page<WorkerView>> {
        // Chains one after the other; the cursor is `chain/number` of the first worker of the next page.
        let chains: Vec<ChainId> = match query.chain {
            Some(chain) => vec![self.on(chain)?.chain.id()],
            None => self.hosts.keys().copied().collect(),
        };
        let bad =
            || Problem::new(Code::BadRequest, "cursor: expected what an earlier page gave as next");
        let from: (ChainId, u32) = match &query.cursor {
            None => (chains.first().copied().unwrap_or(ChainId::Backbone), 0),
            Some(cursor) => {
                let (chain, number) = cursor.split_once('/').ok_or_else(bad)?;
                (chain.parse().map_err(|_| bad())?, number.parse().map_err(|_| bad())?)
            }
        };
        let mut items = Vec::new();
        for chain in chains.into_iter().filter(|chain| *chain >= from.0) {
            let handle = &self.on(chain)?.chain;
            let count: u32 = handle.record(Key::WorkerCount).await.unwrap_or(0);
            let start = if chain == from.0 { from.1 } else { 0 };
            for index in start..count {
                if items.len() == query.limit {
                    return Ok(Page { items, next: Some(format!("{chain}/{index}")) });
                }
                let Some(address) = handle.record::<Address>(Key::WorkerAt(index)).await else {
                    continue;
                };
                if let Some(record) = handle.record(Key::Worker(address)).await {
                    items.push(WorkerView { address, chain, record });
                }
            }
        }
        Ok(Page { items, next: None })
    }

    async fn worker(&self, chain: ChainId, address: Address) -> Answer<WorkerView> {
        let record = self.on(chain)?.chain.record(Key::Worker(address)).await.ok_or_else(|| {
            let detail = format!("{address} has no worker on {chain}");
            Problem::new(Code::UnknownWorker, detail)
                .hint("a worker appears once it has registered")
        })?;
        Ok(WorkerView { address, chain, record })
    }

    async fn duties(&self, chain: ChainId, worker: Address) -> Answer<Events<JobView>> {
        let host = self.on(chain)?;
        // The feed first, so that no change falls between the two.
        let finals = host.chain.finals();
        let open = duties::open_jobs(&host.chain, worker).await;
        let waiting: VecDeque<JobId> = open.into_iter().collect();
        let state = (self.clone(), finals, waiting);
        let duties = stream::unfold(state, move |(node, mut finals, mut waiting)| async move {
            loop {
                while let Some(job) = waiting.pop_front() {
                    if let Ok(view) = node.view(Some(chain), job).await {
                        return Some((Ok(view), (node, finals, waiting)));
                    }
                }
                match finals.recv().await {
                    Ok(block) => waiting.extend(changed_for(&block, &worker)),
                    // What was missed is looked up.
                    Err(RecvError::Lagged(_)) => {
                        let chain = &node.on(chain).ok()?.chain;
                        waiting.extend(duties::open_jobs(chain, worker).await);
                    }
                    Err(RecvError::Closed) => return None,
                }
            }
        });
        Ok(duties.boxed())
    }

    async fn block(&self, chain: ChainId, height: Height) -> Answer<BlockView> {
        let handle = &self.on(chain)?.chain;
        let block = handle.block(height).await.ok_or_else(|| {
            Problem::new(
                Code::UnknownBlock,
                format!("chain {chain} has no final block {height} here"),
            )
        })?;
        let certificate = handle.certificate(height).await.map(Hex);
        let txs = u32::try_from(block.body.txs.len()).unwrap_or(u32::MAX);
        Ok(BlockView { id: block.header.id(), header: block.header, txs, certificate })
    }

    async fn blocks(&self, chain: ChainId) -> Answer<Events<BlockView>> {
        let finals = self.on(chain)?.chain.finals();
        let blocks = stream::unfold(finals, |mut finals| async move {
            loop {
                match finals.recv().await {
                    Ok(block) => {
                        let txs = u32::try_from(block.txs.len()).unwrap_or(u32::MAX);
                        let header = block.header.clone();
                        let view = BlockView { id: header.id(), header, txs, certificate: None };
                        return Some((Ok(view), finals));
                    }
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        });
        Ok(blocks.boxed())
    }

    async fn proof(&self, chain: ChainId, key: ProofKey) -> Answer<ProofView> {
        let proof = self.on(chain)?.chain.prove(&key.into()).await.ok_or_else(|| {
            Problem::new(Code::Timeout, "no block got a certificate of its own in time")
                .hint("try again")
        })?;
        Ok(proof.into())
    }
}

/// Jobs that `block` changed and in which `worker` has or had an assignment.
fn changed_for(block: &Arc<Final>, worker: &Address) -> Vec<JobId> {
    let of = |event: &Event| match event {
        Event::Job { job, phase } if workers_of(phase).any(|assigned| assigned == *worker) => {
            Some(*job)
        }
        _ => None,
    };
    block.events.iter().filter_map(of).collect()
}

fn mentions(block: &Arc<Final>, job: &JobId) -> bool {
    block
        .events
        .iter()
        .any(|event| matches!(event, Event::Job { job: changed, .. } if changed == job))
}
