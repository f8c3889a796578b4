//! From a file on disk to a job on a chain, and back with a checked result.

use crate::{args, home, local, wallet};
use anyhow::{Context as _, Result, bail};
use api::{Client, Code, JobEvent, JobView, Output, Submitted, Wait};
use crypto::{SigningKey, Wallet};
use sandbox::{Engine, EngineConfig};
use std::{
    fs,
    io::{IsTerminal as _, Read as _},
    time::{Duration, Instant},
};
use talk::Progress;
use types::{
    Action, Address, Agreement, ChainId, Float, Fuel, Hash, Height, InputFile, Intent, JobSpec,
    Limits, List, Millis, NanoMeshx, Ppm, PublicKey, Submission, Text, Tx,
    codec::{DecodeExt, Encode},
    domain_hash,
    network::Anchor,
    state::{Params, Phase},
};

/// What the clock of a job reads at its start unless asked otherwise: 2026-01-01T00:00:00Z. A fixed
/// moment, so that equal requests are equal jobs.
const CLOCK: Millis = Millis::new(1_767_225_600_000);

/// A job that is complete: the request, and the bytes it names.
pub struct Request {
    pub spec: JobSpec,
    pub agreement: Agreement,
    pub module: Vec<u8>,
    pub input: Vec<u8>,
    pub files: Vec<(String, Vec<u8>)>,
}

pub fn engine() -> Result<Engine> {
    let config = EngineConfig { slots: 2, memory_bytes_max: 1 << 30, cache_modules: 4 };
    Engine::new(config).context("the sandbox does not start on this machine")
}

impl Request {
    /// Read everything a job needs, and refuse what can never run before anything is sent or paid.
    pub fn read(job: &args::Job) -> Result<Self> {
        let text =
            fs::read(&job.file).with_context(|| format!("cannot read {}", job.file.display()))?;
        let module = sandbox::binary_of(&text)
            .with_context(|| format!("{} cannot run", job.file.display()))?
            .into_owned();
        let seen = engine()?
            .inspect(&module)
            .with_context(|| format!("{} cannot run", job.file.display()))?;
        let input = input(job)?;
        let mut files = Vec::new();
        for file in &job.files {
            let (name, path) = file.split_once('=').with_context(|| {
                format!("--file {file:?} names no path\nhint: --file NAME=PATH")
            })?;
            files.push((
                name.to_owned(),
                fs::read(path).with_context(|| format!("cannot read {path}"))?,
            ));
        }
        let limits = Limits {
            fuel: Fuel::new(job.fuel),
            memory_bytes: job.memory.saturating_mul(1 << 20),
            output_bytes: job.output_limit.saturating_mul(1 << 20),
            wall: Millis::new(job.wall.saturating_mul(1_000)),
        };
        if seen.memory_bytes_min > limits.memory_bytes {
            bail!(
                "{} needs {} bytes of memory to start, the limit is {}\nhint: raise --memory",
                job.file.display(),
                seen.memory_bytes_min,
                limits.memory_bytes
            );
        }
        let (module_hash, input_hash) = (Hash::of_content(&module), Hash::of_content(&input));
        let spec = JobSpec {
            module: module_hash,
            module_len: module.len() as u64,
            abi: seen.abi,
            float: Float::Strict,
            input: input_hash,
            input_len: input.len() as u64,
            args: list(&job.args, "arguments")?,
            env: list(&job.env, "environment variables")?,
            files: List::new(
                files
                    .iter()
                    .map(|(name, bytes)| {
                        let name = Text::new(name.clone())
                            .with_context(|| format!("the file name {name:?} is too long"))?;
                        Ok(InputFile {
                            name,
                            content: Hash::of_content(bytes),
                            len: bytes.len() as u64,
                        })
                    })
                    .collect::<Result<_>>()?,
            )
            .context("too many files")?,
            limits,
            profile: sandbox::profile(Float::Strict),
            seed: domain_hash("meshx/job-seed/v1", &[&module_hash.0, &input_hash.0]),
            clock: CLOCK,
        };
        let agreement = Agreement { replicas: job.replicas, agree: job.agree };
        Ok(Self { spec, agreement, module, input, files })
    }

    fn blobs(&self) -> impl Iterator<Item = &[u8]> {
        [self.module.as_slice(), &self.input]
            .into_iter()
            .chain(self.files.iter().map(|(_, bytes)| bytes.as_slice()))
    }
}

fn list<const LEN: usize, const MAX: usize>(
    texts: &[String],
    what: &str,
) -> Result<List<Text<LEN>, MAX>> {
    let texts = texts.iter().map(|text| {
        Text::new(text.clone()).with_context(|| format!("one of the {what} is too long"))
    });
    List::new(texts.collect::<Result<_>>()?).with_context(|| format!("too many {what}"))
}

fn input(job: &args::Job) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = api::BLOB_BYTES_MAX;
    let read = match &job.input {
        Some(path) => fs::File::open(path)
            .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
            .with_context(|| format!("cannot read {}", path.display()))?,
        // At a terminal nobody has piped anything: the job gets an empty input.
        None if std::io::stdin().is_terminal() => 0,
        None => {
            std::io::stdin().take(limit + 1).read_to_end(&mut bytes).context("cannot read stdin")?
        }
    };
    if read as u64 > limit {
        bail!(
            "the input is longer than {limit} bytes\nhint: give large data as several --file NAME=PATH"
        );
    }
    Ok(bytes)
}

/// Blocks between asking for a price and the block a job is taken in: demand may rise by an eighth in each.
pub const WAIT_BLOCKS: u64 = 8;

/// What a job may cost at its limits, should demand rise until it is taken in.
pub fn price_max(request: &Request, demand: Ppm, params: &Params) -> Result<NanoMeshx> {
    let demand = jobs::demand_max_after(demand, WAIT_BLOCKS, &params.demand);
    jobs::price_max(&request.spec, &request.agreement, demand, params)
        .context("hint: lower --fuel or --memory")
}

/// How a job is to be paid for and waited for.
pub struct Terms {
    pub chain: ChainId,
    pub max_price: Option<NanoMeshx>,
    pub deadline: u64,
    pub fresh: bool,
}

/// A job that is over.
pub struct Finished {
    pub view: JobView,
    pub network: Hash,
}

/// How long a node that is starting is waited for.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// Wait for a node that answers but whose chains have no final block yet.
fn await_ready(client: &Client, progress: &Progress) -> Result<()> {
    let start = Instant::now();
    loop {
        match client.ready() {
            Ok(()) => return Ok(()),
            Err(error) => {
                let starting =
                    error.problem().is_some_and(|problem| problem.code == Code::NotReady);
                if !starting || start.elapsed() > READY_TIMEOUT {
                    return Err(error.into());
                }
            }
        }
        progress.say("waiting for the node to be ready");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Send a job and follow it to its end.
pub fn submit(
    client: &Client,
    key: &SigningKey,
    request: &Request,
    terms: &Terms,
    progress: &Progress,
) -> Result<Finished> {
    await_ready(client, progress)?;
    let anchor = Anchor::decode(client.genesis()?).context("the node's network cannot be read")?;
    home::trust(&anchor)?;
    let network = anchor.network();
    let params = client.params(terms.chain)?;
    let account = client.account(terms.chain, wallet::address(key))?;
    progress.say("sending module and input");
    for blob in request.blobs() {
        let hash = Hash::of_content(blob);
        if client.blob_len(hash)?.is_none() {
            client.put_blob(hash, blob, Some(blob.len() as u64))?;
        }
        home::keep_blob(blob);
    }
    let needed = price_max(request, client.market(terms.chain)?.demand, &params)?;
    let submission = Submission {
        spec: request.spec.clone(),
        agreement: request.agreement,
        price_max: terms.max_price.unwrap_or(needed),
        deadline: Height::new(account.height.get().saturating_add(terms.deadline)),
        fresh: terms.fresh,
    };
    progress.say("paying into escrow");
    let tx = sign(key, &network, terms.chain, account.nonce, Action::SubmitJob(submission));
    let job = client.submit(&tx, Wait::Final)?.tx;
    let mut last = None;
    for event in client.job_events(Some(terms.chain), job) {
        if let JobEvent::Phase(view) = event? {
            progress.say(phase_words(&view.record.phase));
            last = Some(*view);
        }
    }
    let view =
        last.context("the node says nothing about the job\nhint: meshx job show asks again")?;
    Ok(Finished { view, network })
}

/// Sign `action` with `key`, send it, and wait until it is final.
pub fn act(client: &Client, key: &SigningKey, chain: ChainId, action: Action) -> Result<Submitted> {
    let network = client.status()?.network;
    let nonce = client.account(chain, wallet::address(key))?.nonce;
    Ok(client.submit(&sign(key, &network, chain, nonce, action), Wait::Final)?)
}

pub fn sign(key: &SigningKey, network: &Hash, chain: ChainId, nonce: u64, action: Action) -> Tx {
    let intent = Intent { chain, nonce, tip: NanoMeshx::ZERO, action };
    Tx::signed(network, PublicKey(key.public()), intent, |domain, message| {
        key.sign(domain, message)
    })
}

pub const fn phase_words(phase: &Phase) -> &'static str {
    match phase {
        Phase::Queued => "waiting for workers",
        Phase::Committing { .. } => "running",
        Phase::Revealing { .. } => "comparing results",
        Phase::Settled(_) => "settled",
        Phase::Ended { .. } => "ended",
    }
}

/// One of a settled job's outputs, checked against the hash the chain settled on.
pub fn output(client: &Client, view: &JobView, output: Output) -> Result<Vec<u8>> {
    let Phase::Settled(settlement) = &view.record.phase else { bail!("the job has no result") };
    let expected = match output {
        Output::Stdout => settlement.outcome.stdout,
        Output::Stderr => settlement.outcome.stderr,
    };
    let bytes = client.output(Some(view.chain), view.job, output)?.bytes()?;
    if Hash::of_content(&bytes) != expected.hash {
        bail!(
            "the node sent other bytes than the chain settled on\nhint: ask another node for job {}",
            view.job
        );
    }
    Ok(bytes)
}

/// The canonical bytes of anything with a wire form, for comparing.
pub fn same<T: Encode>(a: &T, b: &T) -> bool {
    a.encode() == b.encode()
}

/// A client of the node that is named, or of the usual place.
pub fn client(settings: &crate::settings::Settings) -> Result<Client> {
    let url = settings
        .node
        .clone()
        .or_else(running_mesh)
        .unwrap_or_else(|| crate::settings::NODE_DEFAULT.to_owned());
    Ok(Client::new(url)?)
}

/// The mesh that `meshx up` runs on this machine, if it answers.
pub fn running_mesh() -> Option<String> {
    let url = fs::read_to_string(home::state().ok()?.join("up")).ok()?;
    let url = url.trim().to_owned();
    Client::new(&url).ok()?.status().ok()?;
    Some(url)
}

/// Whether the network's keys were all dealt by one process.
pub fn dev_network(client: &Client) -> Result<bool> {
    Ok(client.status()?.dev_dealer)
}

/// The address that is named, or one's own.
pub fn address_or_own(
    settings: &crate::settings::Settings,
    client: &Client,
    named: Option<Address>,
) -> Result<Address> {
    named.map_or_else(|| Ok(wallet::address(&paying_key(settings, client)?)), Ok)
}

/// The keys of whoever types, on this network.
pub fn keys(settings: &crate::settings::Settings, client: &Client) -> Result<Wallet> {
    wallet::keys(settings, dev_network(client)?)
}

/// Pay from the right key for this network.
pub fn paying_key(settings: &crate::settings::Settings, client: &Client) -> Result<SigningKey> {
    wallet::paying(settings, dev_network(client)?)
}

/// The shape of a mesh for one run.
pub fn ephemeral(latency: &str) -> Result<local::Shape> {
    Ok(local::Shape::ephemeral(network::Latency::named(latency)?))
}
