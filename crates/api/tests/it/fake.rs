//! A node that is made up.

use api::{
    AccountView, Assurance, AttestationView, Backend, BlobView, BlockView, Body, ChainStatus,
    Chunks, Code, DelegationView, EarningsView, Events, FaucetAsked, FaucetGave, Hex, JobEvent,
    JobView, JobsQuery, MarketView, MeasuredView, NetworkStatus, Output, OutputChunk, Page,
    PeriodView, PresenceView, Problem, ProofKey, ProofView, Reason, SeatView, StakeView, Submitted,
    UnbondingView, ValidatorView, Wait, Why, WitnessView, WorkerView, WorkersQuery,
};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use types::{
    Abi, Address, Agreement, ChainId, Float, Fuel, Hash, Header, Height, JobId, JobSpec, Limits,
    List, LogRoot, Millis, NanoMeshx, Outcome, OutputRef, PublicKey, Status, Submission, Term,
    Text, Tx,
    attest::{AttestationRecord, Challenges, Class, TcbStatus, Technology},
    committee::{DrawRecord, VrfRecord},
    presence::{PeriodRecord, PresenceParams, PresenceRecord, PresenceTier},
    staking::Standing,
    state::{Assignment, Ending, JobRecord, Params, Phase, Settlement, WorkerRecord},
    state::{Earned, Supply, Terms},
};

/// What goes wrong, if anything.
#[derive(Clone, Debug, Default)]
pub enum Mood {
    #[default]
    Well,
    /// Every question gets this.
    Refusing(Code),
    /// No question gets an answer.
    Silent,
    Panicking,
    /// Bodies and streams break after their first piece.
    Breaking,
    /// Streams stay open without anything happening.
    Idle,
    /// One chain has lost its quorum.
    Halted,
}

#[derive(Clone, Default)]
pub struct Fake {
    pub mood: Mood,
    pub blobs: Arc<Mutex<BTreeMap<Hash, Bytes>>>,
    pub queries: Arc<Mutex<Vec<String>>>,
}

pub const CHAIN: ChainId = ChainId::Europe;

pub fn job_id() -> JobId {
    Hash([7; 32])
}
pub fn address() -> Address {
    Address::of(&PublicKey([1; 32]))
}

impl Fake {
    pub fn with(mood: Mood) -> Self {
        Self { mood, ..Self::default() }
    }

    async fn answer<T>(&self, answer: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
        match self.mood {
            Mood::Refusing(Code::Internal) => Err(Problem::internal("/secret/disk: broken")),
            Mood::Refusing(code) => Err(Problem::new(code, "refused").hint("ask someone else")),
            Mood::Silent => std::future::pending().await,
            Mood::Panicking => panic!("with a /secret"),
            Mood::Well | Mood::Breaking | Mood::Idle | Mood::Halted => answer(),
        }
    }

    fn body(&self, bytes: Bytes) -> Body {
        let len = Some(bytes.len() as u64);
        let mut chunks: Vec<_> =
            bytes.chunks(100_000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        if matches!(self.mood, Mood::Breaking) {
            chunks.truncate(1);
            chunks.push(Err(Problem::new(Code::Internal, "the disk is gone")));
        }
        Body { len, chunks: Box::pin(stream::iter(chunks)) }
    }

    fn find(&self, hash: Hash) -> Result<Bytes, Problem> {
        let blob = self.blobs.lock().unwrap().get(&hash).cloned();
        blob.ok_or_else(|| Problem::new(Code::UnknownBlob, format!("there is no blob {hash} here")))
    }

    fn stream<T: Send + 'static>(&self, events: Vec<T>) -> Events<T> {
        let all = stream::iter(events.into_iter().map(Ok));
        match self.mood {
            Mood::Idle => Box::pin(all.take(1).chain(stream::pending())),
            Mood::Breaking => {
                let problem = Problem::new(Code::Pruned, "the stream was too slow");
                Box::pin(all.take(1).chain(stream::iter([Err(problem)])))
            }
            // Like a real node: the stream of a job does not end on its own.
            _ => Box::pin(all.chain(stream::pending())),
        }
    }
}

fn only(chain: ChainId) -> Result<(), Problem> {
    if chain == CHAIN {
        Ok(())
    } else {
        Err(Problem::new(Code::UnknownChain, format!("{chain} is not followed here")))
    }
}

fn known(chain: Option<ChainId>, job: JobId) -> Result<(), Problem> {
    chain.map_or(Ok(()), only)?;
    if job == job_id() {
        Ok(())
    } else {
        Err(Problem::new(Code::UnknownJob, format!("no job has id {job}")))
    }
}

impl Backend for Fake {
    async fn status(&self) -> Result<NetworkStatus, Problem> {
        self.answer(|| {
            Ok(NetworkStatus {
                network: Hash([9; 32]),
                name: "fake".into(),
                version: "0".into(),
                dev_dealer: true,
                join: vec![],
                chains: vec![
                    chain_status(CHAIN, true),
                    ChainStatus {
                        stands_still: matches!(self.mood, Mood::Halted),
                        silent_ms: Millis::new(40_900),
                        answering: 1,
                        ..chain_status(ChainId::Asia, !matches!(self.mood, Mood::Idle))
                    },
                ],
            })
        })
        .await
    }

    async fn genesis(&self) -> Result<Bytes, Problem> {
        self.answer(|| Ok(Bytes::from_static(b"\x00genesis\xff"))).await
    }

    async fn params(&self, chain: ChainId) -> Result<Params, Problem> {
        self.answer(|| only(chain).map(|()| params())).await
    }

    async fn market(&self, chain: ChainId) -> Result<MarketView, Problem> {
        self.answer(|| only(chain).map(|()| market())).await
    }

    async fn validators(&self) -> Result<Vec<ValidatorView>, Problem> {
        self.answer(|| Ok(vec![validator()])).await
    }

    async fn stake(&self, address: Address) -> Result<StakeView, Problem> {
        self.answer(|| Ok(StakeView { address, ..stake() })).await
    }

    async fn earnings(&self, chain: ChainId, address: Address) -> Result<EarningsView, Problem> {
        self.answer(|| only(chain).map(|()| EarningsView { address, chain, ..earnings() })).await
    }

    async fn attestation(
        &self,
        chain: ChainId,
        address: Address,
    ) -> Result<AttestationView, Problem> {
        self.answer(|| only(chain).map(|()| AttestationView { address, chain, ..attestation() }))
            .await
    }

    async fn presence(&self, address: Address) -> Result<PresenceView, Problem> {
        self.answer(|| Ok(PresenceView { address, ..presence() })).await
    }

    async fn period(&self) -> Result<PeriodView, Problem> {
        self.answer(|| Ok(period())).await
    }

    async fn proposals(&self) -> Result<Vec<types::governance::Proposal>, Problem> {
        self.answer(|| Ok(vec![proposal()])).await
    }

    async fn equivocations(&self) -> Result<Vec<types::EquivocationProof>, Problem> {
        self.answer(|| Ok(vec![equivocation_proof()])).await
    }

    async fn faucet(&self, asked: FaucetAsked) -> Result<FaucetGave, Problem> {
        self.answer(|| {
            only(asked.chain)?;
            Ok(FaucetGave { tx: Hash([8; 32]), amount: NanoMeshx::new(5) })
        })
        .await
    }

    async fn account(&self, chain: ChainId, address: Address) -> Result<AccountView, Problem> {
        self.answer(|| {
            only(chain)?;
            let balance = NanoMeshx::new(1_500_000_000);
            Ok(AccountView { address, chain, balance, nonce: 3, height: Height::new(12) })
        })
        .await
    }

    async fn submit(&self, tx: Tx, wait: Wait) -> Result<Submitted, Problem> {
        self.answer(|| {
            only(tx.chain)?;
            let is_final = wait == Wait::Final;
            Ok(Submitted {
                tx: tx.id(),
                chain: tx.chain,
                height: is_final.then_some(Height::new(13)),
                block: is_final.then_some(Hash([3; 32])),
            })
        })
        .await
    }

    async fn put_blob(&self, expected: Option<Hash>, content: Chunks) -> Result<BlobView, Problem> {
        self.answer(|| Ok(())).await?;
        // Like a real store, it does not know what the end of its reader was about.
        let content: Vec<u8> = content
            .try_fold(Vec::new(), |mut all, chunk| async move {
                all.extend_from_slice(&chunk);
                Ok(all)
            })
            .await
            .map_err(|_| Problem::internal("the reader failed"))?;
        let (hash, len) = (Hash::of_content(&content), content.len() as u64);
        if expected.is_some_and(|expected| expected != hash) {
            return Err(Problem::new(
                Code::HashMismatch,
                format!("the content has the hash {hash}"),
            ));
        }
        self.blobs.lock().unwrap().insert(hash, content.into());
        Ok(BlobView { hash, len })
    }

    async fn blob(&self, hash: Hash) -> Result<Body, Problem> {
        self.answer(|| Ok(self.body(self.find(hash)?))).await
    }

    async fn blob_encoded(&self, hash: Hash) -> Result<Body, Problem> {
        self.answer(|| {
            Ok(Body { len: None, ..self.body([b"bao:", &self.find(hash)?[..]].concat().into()) })
        })
        .await
    }

    async fn blob_len(&self, hash: Hash) -> Result<u64, Problem> {
        self.answer(|| Ok(self.find(hash)?.len() as u64)).await
    }

    async fn jobs(&self, query: JobsQuery) -> Result<Page<JobView>, Problem> {
        self.answer(|| {
            self.queries.lock().unwrap().push(format!("{query:?}"));
            let next = query.cursor.is_none().then(|| "2&more".to_owned());
            Ok(Page { items: vec![job_view(Phase::Queued { draws: 0 })], next })
        })
        .await
    }

    async fn job(&self, chain: Option<ChainId>, job: JobId) -> Result<JobView, Problem> {
        self.answer(|| known(chain, job).map(|()| job_view(settled()))).await
    }

    async fn output(
        &self,
        chain: Option<ChainId>,
        job: JobId,
        output: Output,
    ) -> Result<Body, Problem> {
        self.answer(|| {
            known(chain, job)?;
            Ok(Body::whole(match output {
                Output::Stdout => "hello",
                Output::Stderr => "careful",
            }))
        })
        .await
    }

    async fn output_file(
        &self,
        chain: Option<ChainId>,
        job: JobId,
        content: Option<Hash>,
    ) -> Result<Body, Problem> {
        self.answer(|| {
            known(chain, job)?;
            match content {
                None => Ok(Body::whole("list")),
                Some(content) => Ok(self.body(self.find(content)?)),
            }
        })
        .await
    }

    async fn receipt(&self, chain: Option<ChainId>, job: JobId) -> Result<Bytes, Problem> {
        self.answer(|| known(chain, job).map(|()| Bytes::from_static(b"MXR\x01"))).await
    }

    async fn why(&self, chain: Option<ChainId>, job: JobId) -> Result<Why, Problem> {
        self.answer(|| {
            known(chain, job)?;
            let reason = Reason {
                worker: Some(address()),
                rule: "no_reveal".into(),
                detail: "has not shown it".into(),
            };
            Ok(Why { verdict: "settled".into(), reasons: vec![reason] })
        })
        .await
    }

    async fn job_events(
        &self,
        chain: Option<ChainId>,
        job: JobId,
    ) -> Result<Events<JobEvent>, Problem> {
        self.answer(|| {
            known(chain, job)?;
            let phase = |phase| JobEvent::Phase(Box::new(job_view(phase)));
            let output = JobEvent::Output(OutputChunk {
                output: Output::Stdout,
                offset: 0,
                bytes: b"hello".into(),
            });
            Ok(self.stream(vec![
                phase(Phase::Queued { draws: 0 }),
                phase(committing()),
                output,
                phase(settled()),
            ]))
        })
        .await
    }

    async fn workers(&self, query: WorkersQuery) -> Result<Page<WorkerView>, Problem> {
        self.answer(|| {
            self.queries.lock().unwrap().push(format!("{query:?}"));
            Ok(Page {
                items: vec![WorkerView { address: address(), chain: CHAIN, record: worker() }],
                next: None,
            })
        })
        .await
    }

    async fn worker(&self, chain: ChainId, asked: Address) -> Result<WorkerView, Problem> {
        self.answer(|| {
            only(chain)?;
            match asked == address() {
                true => Ok(WorkerView { address: asked, chain, record: worker() }),
                false => Err(Problem::new(Code::UnknownWorker, format!("{asked} is no worker"))),
            }
        })
        .await
    }

    async fn duties(&self, chain: ChainId, _: Address) -> Result<Events<JobView>, Problem> {
        let views = || vec![job_view(committing()), job_view(settled())];
        self.answer(|| only(chain).map(|()| self.stream(views()))).await
    }

    async fn block(&self, chain: ChainId, height: Height) -> Result<BlockView, Problem> {
        self.answer(|| {
            only(chain)?;
            match height.get() {
                ..100 => Ok(block(height.get())),
                _ => Err(Problem::new(
                    Code::UnknownBlock,
                    format!("block {height} is not final yet"),
                )),
            }
        })
        .await
    }

    async fn blocks(&self, chain: ChainId) -> Result<Events<BlockView>, Problem> {
        self.answer(|| only(chain).map(|()| self.stream(vec![block(1), block(2)]))).await
    }

    async fn proof(&self, chain: ChainId, key: ProofKey) -> Result<ProofView, Problem> {
        self.answer(|| {
            only(chain)?;
            let present = key == ProofKey::Account(address());
            Ok(ProofView {
                present,
                value: present.then(|| Hex(vec![1, 2])),
                proof: Hex(vec![3, 4]),
                header: header(5),
                certificate: Hex(vec![0xff]),
            })
        })
        .await
    }

    async fn metrics(&self) -> Result<String, Problem> {
        self.answer(|| Ok("meshx_height{chain=\"EU\"} 12\n".into())).await
    }
}

fn chain_status(chain: ChainId, ready: bool) -> ChainStatus {
    ChainStatus {
        chain,
        height: Height::new(12),
        finalized_id: ready.then_some(Hash([4; 32])),
        timestamp: ready.then_some(Millis::new(1_700_000_000_000)),
        validators: 4,
        term: types::Term::new(3),
        committee: vec![types::PublicKey([5; 32]); 4],
        workers: 2,
        finality_ms_p50: Some(Millis::new(175)),
        finality_ms_p99: None,
        blocks_per_second: Some(2.0),
        silent_ms: Millis::new(200),
        answering: 4,
        stands_still: false,
        ready,
    }
}

pub fn params() -> Params {
    Params { profile_strict: Hash([1; 32]), profile_arch_class: Hash([2; 32]), ..Params::DEFAULT }
}

pub fn market() -> MarketView {
    MarketView {
        chain: CHAIN,
        height: Height::new(12),
        base_fee: NanoMeshx::new(1_000),
        demand: types::Ppm::new(875_000),
        utilisation_bps: 2_500,
        capacity: 16,
        running: 4,
        paused_until: Millis::ZERO,
        supply: Supply::default(),
    }
}

pub fn validator() -> ValidatorView {
    ValidatorView {
        operator: address(),
        key: types::PublicKey([4; 32]),
        standing: Standing::Jailed { until: Millis::new(9) },
        tokens: NanoMeshx::new(10),
        commission_bps: 500,
        commission_owed: NanoMeshx::new(1),
        slashes: 1,
        seated: false,
        peers: vec!["/dns4/node.example/tcp/8704".to_owned()],
    }
}

pub fn proposal() -> types::governance::Proposal {
    use types::governance::{ParamChange, ProposalKind, ProposalStatus, Tally};
    let change =
        ParamChange { chain: Some(CHAIN), name: types::ParamName::RateCoreSecond, value: 7 };
    types::governance::Proposal {
        id: 1,
        proposer: address(),
        title: Text::new("Dearer cores").unwrap(),
        kind: ProposalKind::ChangeParams { changes: List::new(vec![change]).unwrap() },
        deposit: NanoMeshx::new(5),
        submitted: Millis::new(6),
        status: ProposalStatus::Voting { closes: Millis::new(7) },
        tally: Tally::default(),
    }
}

pub fn equivocation_proof() -> types::EquivocationProof {
    let vote = |n| types::SignedVote {
        chain: ChainId::Backbone,
        kind: types::VoteKind::Finalize,
        term: types::Term::ZERO,
        view: 7,
        parent: 6,
        payload: Hash([n; 32]),
        signature: types::Signature([n; 64]),
    };
    types::EquivocationProof { key: types::PublicKey([4; 32]), first: vote(1), second: vote(2) }
}

pub fn stake() -> StakeView {
    let unbonding = vec![UnbondingView { amount: NanoMeshx::new(3), matures: Millis::new(7) }];
    let delegation = DelegationView {
        validator: address(),
        worth: NanoMeshx::new(9),
        owed: NanoMeshx::new(2),
        unbonding,
    };
    StakeView {
        address: address(),
        height: Height::new(12),
        now: Millis::new(6),
        delegations: vec![delegation],
    }
}

pub fn presence() -> PresenceView {
    let record = PresenceRecord {
        tier: PresenceTier::Certified,
        continent: ChainId::Europe,
        place: "52.52,13.405".parse().unwrap(),
        key: types::PublicKey([4; 32]),
        certificate: Hash([5; 32]),
        period: 6,
        issued: Millis::new(7),
        expires: Millis::new(8),
    };
    PresenceView {
        address: address(),
        record: Some(record),
        certified: true,
        now: Millis::new(7),
        vrf: Some(VrfRecord { key: Hash([9; 32]), registered: Height::new(10) }),
        attestation: Hash([12; 32]),
        draw: Some(DrawRecord::default()),
        ticket: true,
        seats: vec![SeatView { chain: ChainId::Europe, number: 11 }],
    }
}

pub fn period() -> PeriodView {
    let witness = WitnessView {
        key: types::PublicKey([4; 32]),
        place: "52.52,13.405".parse().unwrap(),
        operator: address(),
        network: 3_320,
        peers: vec!["/ip4/192.0.2.1/tcp/8704/p2p/12D3KooW".into()],
        measured: vec![MeasuredView { witness: 0, rtt_us: 11_250 }],
    };
    PeriodView {
        period: PeriodRecord {
            number: 1,
            began: Height::new(2),
            started: Millis::new(3),
            seed: Hash([4; 32]),
        },
        params: PresenceParams::DEFAULT,
        witnesses: vec![witness],
    }
}

pub fn attestation() -> AttestationView {
    let record = AttestationRecord {
        technology: Technology::Tpm2,
        class: Class::Simulated,
        tcb_status: TcbStatus::Unrated,
        root: Text::new("none").unwrap(),
        measurement: types::Bytes::new(vec![1; 32]).unwrap(),
        platform: Some(Hash([2; 32])),
        evidence: Hash([3; 32]),
        code_hash: Hash([4; 32]),
        sealing_key: types::Bytes::default(),
        stated: 1_700_000_000,
        attested: Height::new(7),
        until: Millis::new(1_700_000_100_000),
        parent: None,
        depth: 0,
    };
    AttestationView {
        address: address(),
        chain: CHAIN,
        challenges: Challenges::default(),
        record: Some(record),
        counts: true,
        now: Millis::new(1_700_000_000_000),
    }
}

pub fn earnings() -> EarningsView {
    EarningsView {
        address: address(),
        chain: CHAIN,
        earned: Earned { jobs: NanoMeshx::new(95), ..Earned::default() },
        rewards_owed: NanoMeshx::new(2),
        commission_owed: NanoMeshx::ZERO,
    }
}

pub fn worker() -> WorkerRecord {
    WorkerRecord {
        capacity: 2,
        running: 1,
        reputation: 5_000,
        city: Text::new("Lisbon").unwrap(),
        registered: Height::new(1),
        floor: NanoMeshx::new(7),
        seen: Height::new(2),
        bond: NanoMeshx::new(8),
        leaving: NanoMeshx::new(9),
        free_at: Height::new(10),
        silent: false,
    }
}

pub fn submission() -> Submission {
    let spec = JobSpec {
        module: Hash([1; 32]),
        module_len: 10,
        abi: Abi::Wasi,
        float: Float::ArchClass,
        input: Hash([2; 32]),
        input_len: 20,
        args: List::new(vec![Text::new("-v").unwrap()]).unwrap(),
        env: List::default(),
        files: List::new(vec![types::InputFile {
            name: Text::new("data.bin").unwrap(),
            content: Hash([5; 32]),
            len: 30,
        }])
        .unwrap(),
        limits: Limits {
            fuel: Fuel::new(100),
            memory_bytes: 1,
            output_bytes: 2,
            wall: Millis::new(3),
        },
        profile: Hash([3; 32]),
        seed: Hash([4; 32]),
        clock: Millis::new(5),
    };
    let agreement = Agreement { replicas: 4, agree: 3 };
    Submission {
        spec,
        agreement,
        price_max: NanoMeshx::new(2_500_000_000),
        deadline: Height::new(50),
        fresh: false,
    }
}

pub fn outcome() -> Outcome {
    Outcome {
        status: Status::Exited(0),
        stdout: OutputRef { hash: Hash::of_content(b"hello"), len: 5 },
        stderr: OutputRef { hash: Hash::of_content(b"careful"), len: 7 },
        fuel: Fuel::new(60),
        memory_bytes: 65_536,
    }
}

fn assignments(outcome: Option<Outcome>) -> types::state::Assignments {
    let commitment = outcome.map(|_| Hash([6; 32]));
    List::new(vec![Assignment { worker: address(), terms: Terms::default(), commitment, outcome }])
        .unwrap()
}

pub fn committing() -> Phase {
    Phase::Committing {
        drawn: Height::new(3),
        until: Height::new(9),
        assignments: assignments(None),
    }
}

pub fn revealing() -> Phase {
    Phase::Revealing {
        drawn: Height::new(3),
        until: Height::new(9),
        early: false,
        assignments: assignments(Some(outcome())),
    }
}

pub fn settled() -> Phase {
    Phase::Settled(Settlement {
        height: Height::new(10),
        outcome: outcome(),
        agreed: 3,
        assignments: assignments(Some(outcome())),
        paid: NanoMeshx::new(60),
        refunded: NanoMeshx::new(40),
        cached_from: None,
    })
}

pub fn ended() -> Phase {
    Phase::Ended {
        height: Height::new(10),
        ending: Ending::NoAgreement,
        paid: NanoMeshx::new(5),
        assignments: assignments(None),
    }
}

pub fn job_view(phase: Phase) -> JobView {
    let record = JobRecord {
        payer: address(),
        submission: submission(),
        submitted: Height::new(2),
        demand: types::Ppm::ONE,
        phase,
    };
    let assurance = Assurance { level: "quorum 3/4".into(), simulated: true };
    let (height, submitted_at) = (Height::new(12), Some(Millis::new(1_767_225_601_000)));
    JobView { job: job_id(), chain: CHAIN, height, record, assurance, submitted_at }
}

pub fn header(height: u64) -> Header {
    Header {
        chain: CHAIN,
        term: Term::new(0),
        view: height,
        leader: PublicKey([8; 32]),
        parent_view: height.saturating_sub(1),
        parent: Hash([1; 32]),
        height: Height::new(height),
        timestamp: Millis::new(1_700_000_000_000 + height),
        body: Hash([2; 32]),
        state_root: Hash([3; 32]),
        state_log: LogRoot { root: Hash([4; 32]), start: 0, end: height },
        outbox: LogRoot::default(),
    }
}

fn block(height: u64) -> BlockView {
    let header = header(height);
    BlockView { id: header.id(), header, txs: 2, certificate: Some(Hex(vec![0xab])) }
}
