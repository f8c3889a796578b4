//! What a client does next for a job: asks, uploads, pays, follows. No clock, socket or disk: the caller has those.
//!
//! ```text
//! ready? ─▶ network ─▶ params ─▶ each blob: there? else upload ─▶ market ─▶ send ─▶ follow ─▶ over
//! ```

use crate::{Dear, Request, fee_max, price_max, signed};
use api::JobView;
use crypto::SigningKey;
use types::{
    Action, ChainId, Hash, Height, Intent, JobId, NanoMeshx, Nonce, Once, Ppm, Submission, Tx,
    state::Params,
};

/// How a job is to be paid for and waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The shard that runs the job.
    pub chain: ChainId,
    /// `None`: what the job can cost at its limits.
    pub max_price: Option<NanoMeshx>,
    /// Blocks until the job ends by itself and the money goes back.
    pub deadline: u64,
    /// Run it even if an equal job has been answered before.
    pub fresh: bool,
}

/// A job that is over.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The job as its gateway shows it.
    pub view: JobView,
    /// The network's id.
    pub network: Hash,
}

/// What is to be asked of the node, or done there. [`Answer`] says what comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// Has the node a final block of every chain? [`Answer::Yes`] or [`Answer::No`]; then wait a moment.
    AskReady,
    /// [`Answer::Network`].
    AskNetwork,
    /// [`Answer::Params`].
    AskParams(ChainId),
    /// Does the node have it? [`Answer::Yes`] or [`Answer::No`].
    AskBlob(Hash),
    /// [`Answer::Yes`].
    Upload(Hash, &'a [u8]),
    /// [`Answer::Market`].
    AskMarket(ChainId),
    /// Send it and wait until it is final: [`Answer::Job`] or [`Answer::NotNow`].
    Send(&'a Tx),
    /// [`Answer::Phase`] for each phase it comes to, then [`Answer::End`].
    Follow(ChainId, JobId),
    /// [`Errand::finished`] has it.
    Nothing,
}

/// What the node said.
#[derive(Clone, Debug)]
pub enum Answer {
    /// What was asked for is there, or was taken.
    Yes,
    /// It is not there.
    No,
    /// The network that its genesis names.
    Network(Hash),
    /// The chain's parameters.
    Params(Box<Params>),
    /// What moves with each block.
    Market {
        /// The chain's height.
        height: Height,
        /// What demand multiplies prices by now.
        demand: Ppm,
        /// What a transaction pays now.
        base_fee: NanoMeshx,
    },
    /// Nothing was paid, and what stood in the way will pass: it is to be signed again.
    NotNow,
    /// The job's name, by which it can be followed.
    Job(JobId),
    /// The job as its gateway shows it now.
    Phase(Box<JobView>),
    /// Nothing more is told of the job.
    End,
}

/// Why an errand goes no further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Stuck {
    #[error(transparent)]
    Dear(#[from] Dear),
    #[error("the node did not report on the job\nhint: ask again with meshx job show")]
    Silent,
    /// A mistake of the caller.
    #[error("the answer does not belong to the request")]
    OutOfTurn,
}

/// One job on its way.
pub struct Errand<'a> {
    key: &'a SigningKey,
    request: &'a Request,
    terms: Terms,
    /// Of the next payment.
    salt: u64,
    stage: Stage,
}

/// What is known before the job is paid for.
struct Known {
    network: Hash,
    params: Box<Params>,
}

enum Stage {
    Ready,
    Network,
    Params(Hash),
    /// The blob of this number.
    Blob(Known, usize),
    Upload(Known, usize),
    Market(Known),
    Send(Known, Box<Tx>),
    Follow(Hash, JobId, Option<Box<JobView>>),
    Over(Box<Finished>),
}

impl<'a> Errand<'a> {
    /// To have `request` run on `terms`, paid for by `key`. `salt` is a random number: it tells the payment apart from
    /// others of this key, which may be on their way from other machines.
    #[must_use]
    pub const fn new(key: &'a SigningKey, request: &'a Request, terms: Terms, salt: u64) -> Self {
        Self { key, request, terms, salt, stage: Stage::Ready }
    }

    /// What is to be done now. The same until [`Self::take`] hears what came of it.
    #[must_use]
    pub fn next(&self) -> Next<'_> {
        let chain = self.terms.chain;
        match &self.stage {
            Stage::Ready => Next::AskReady,
            Stage::Network => Next::AskNetwork,
            Stage::Params(_) => Next::AskParams(chain),
            Stage::Blob(_, index) => Next::AskBlob(Hash::of_content(self.blob(*index))),
            Stage::Upload(_, index) => {
                let blob = self.blob(*index);
                Next::Upload(Hash::of_content(blob), blob)
            }
            Stage::Market(_) => Next::AskMarket(chain),
            Stage::Send(_, tx) => Next::Send(tx),
            Stage::Follow(_, job, _) => Next::Follow(chain, *job),
            Stage::Over(_) => Next::Nothing,
        }
    }

    /// Go on with what the node said.
    ///
    /// # Errors
    /// [`Stuck`].
    pub fn take(self, answer: Answer) -> Result<Self, Stuck> {
        let Self { key, request, terms, mut salt, stage } = self;
        let last = request.blobs().count();
        let after = |known, index| match index + 1 {
            index if index == last => Stage::Market(known),
            index => Stage::Blob(known, index),
        };
        let stage = match (stage, answer) {
            (Stage::Ready, Answer::Yes) => Stage::Network,
            (Stage::Ready, Answer::No) => Stage::Ready,
            (Stage::Network, Answer::Network(network)) => Stage::Params(network),
            (Stage::Params(network), Answer::Params(params)) => {
                Stage::Blob(Known { network, params }, 0)
            }
            (Stage::Blob(known, index), Answer::No) => Stage::Upload(known, index),
            (Stage::Blob(known, index) | Stage::Upload(known, index), Answer::Yes) => {
                after(known, index)
            }
            // Asked after the uploads, which may take minutes: demand moves in each block, and the offer allows for a
            // few.
            (Stage::Market(known), Answer::Market { height, demand, base_fee }) => {
                let price_max = price_max(request, demand, &known.params)?;
                let asked = submission(request, &terms, price_max, height, &known.params);
                let action = Action::SubmitJob(asked);
                let intent = Intent {
                    chain: terms.chain,
                    nonce: Nonce::Until(Once { height: until(height), salt }),
                    tip: NanoMeshx::ZERO,
                    fee_max: fee_max(base_fee),
                    action,
                };
                let tx = signed(key, &known.network, intent);
                Stage::Send(known, Box::new(tx))
            }
            (Stage::Send(known, _), Answer::Job(job)) => Stage::Follow(known.network, job, None),
            (Stage::Send(known, _), Answer::NotNow) => {
                salt = salt.wrapping_add(1);
                Stage::Market(known)
            }
            (Stage::Follow(network, job, _), Answer::Phase(view)) => {
                Stage::Follow(network, job, Some(view))
            }
            (Stage::Follow(network, _, last), Answer::End) => {
                let view = *last.ok_or(Stuck::Silent)?;
                Stage::Over(Box::new(Finished { view, network }))
            }
            _ => return Err(Stuck::OutOfTurn),
        };
        Ok(Self { key, request, terms, salt, stage })
    }

    /// The job, once there is nothing left to do.
    #[must_use]
    pub fn finished(self) -> Option<Finished> {
        match self.stage {
            Stage::Over(finished) => Some(*finished),
            _ => None,
        }
    }

    fn blob(&self, index: usize) -> &'a [u8] {
        self.request.blobs().nth(index).expect("stages count them")
    }
}

/// How many blocks a payment has to get into one. Short, because a key may have only so many open at a time.
const PAYMENT_BLOCKS: u64 = 60;

/// The last block that may hold a payment that is signed at height `now`.
const fn until(now: Height) -> Height {
    Height::new(now.get().saturating_add(PAYMENT_BLOCKS))
}

/// What is asked of the chain at height `now`, where the job can cost `price_max`. The time that workers may take to compile
/// and run it is added to the deadline.
#[must_use]
pub fn submission(
    request: &Request,
    terms: &Terms,
    price_max: NanoMeshx,
    now: Height,
    params: &Params,
) -> Submission {
    let running = jobs::run_blocks(&request.spec, params);
    let longest = params.deadline_blocks_max.max(terms.deadline);
    let blocks = terms.deadline.saturating_add(running).min(longest);
    Submission {
        spec: request.spec.clone(),
        agreement: request.agreement,
        price_max: terms.max_price.unwrap_or(price_max),
        deadline: Height::new(now.get().saturating_add(blocks)),
        fresh: terms.fresh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Module, Resources, engine};

    const TERMS: Terms =
        Terms { chain: ChainId::Europe, max_price: None, deadline: 1_200, fresh: false };

    fn request() -> Request {
        let text = b"(module (memory (export \"memory\") 1) (func (export \"_start\")))";
        let module = Module::read(&engine().unwrap(), "m", text).unwrap();
        Request::new(module, Resources { input: b"in".to_vec(), ..Resources::default() }).unwrap()
    }

    #[test]
    fn a_job_goes_from_the_first_question_to_being_followed() {
        let (key, request, network) = (SigningKey::from_seed(&[1; 32]), request(), Hash([7; 32]));
        let hash = |index: usize| Hash::of_content(request.blobs().nth(index).unwrap());
        let mut errand = Errand::new(&key, &request, TERMS, 5);
        let mut expect = |expected: Next<'_>, answer: Answer| {
            let now = std::mem::replace(&mut errand, Errand::new(&key, &request, TERMS, 5));
            assert_eq!(now.next(), expected);
            errand = now.take(answer).unwrap();
        };
        let chain = TERMS.chain;
        expect(Next::AskReady, Answer::No);
        expect(Next::AskReady, Answer::Yes);
        expect(Next::AskNetwork, Answer::Network(network));
        expect(Next::AskParams(chain), Answer::Params(Box::new(Params::DEFAULT)));
        // The module is there already, the input is not.
        expect(Next::AskBlob(hash(0)), Answer::Yes);
        expect(Next::AskBlob(hash(1)), Answer::No);
        expect(Next::Upload(hash(1), b"in"), Answer::Yes);
        let base_fee = NanoMeshx::new(1_000);
        let market =
            |height| Answer::Market { height: Height::new(height), demand: Ppm::ONE, base_fee };
        expect(Next::AskMarket(chain), market(30));
        let nonce = |height, salt| Nonce::Until(Once { height: Height::new(height), salt });
        let Next::Send(tx) = errand.next() else { panic!("paid for once all is there") };
        assert_eq!((tx.nonce, tx.chain), (nonce(90, 5), chain));
        assert_eq!(tx.fee_max, NanoMeshx::new(4_000));
        let Action::SubmitJob(asked) = &tx.action else { panic!("a job") };
        // A minute of running is 120 blocks.
        assert_eq!(asked.deadline, Height::new(1_350));
        assert_eq!(asked.price_max, price_max(&request, Ppm::ONE, &Params::DEFAULT).unwrap());
        // As many payments of this key are open as may be: signed again, with another nonce.
        let errand = errand.take(Answer::NotNow).unwrap();
        assert_eq!(errand.next(), Next::AskMarket(chain));
        let errand = errand.take(market(31)).unwrap();
        assert!(matches!(errand.next(), Next::Send(tx) if tx.nonce == nonce(91, 6)));
        let errand = errand.take(Answer::Job(Hash([9; 32]))).unwrap();
        assert_eq!(errand.next(), Next::Follow(chain, Hash([9; 32])));
        assert_eq!(errand.take(Answer::End).err(), Some(Stuck::Silent));
    }

    #[test]
    fn an_answer_to_another_question_changes_nothing() {
        let (key, request) = (SigningKey::from_seed(&[1; 32]), request());
        let errand = Errand::new(&key, &request, TERMS, 5);
        assert_eq!(
            errand.take(Answer::Yes).and_then(|errand| errand.take(Answer::No)).err(),
            Some(Stuck::OutOfTurn)
        );
    }

    #[test]
    fn a_cap_that_is_named_counts_and_a_deadline_ends_with_time() {
        let terms = Terms { max_price: Some(NanoMeshx::new(7)), deadline: u64::MAX, ..TERMS };
        let asked =
            submission(&request(), &terms, NanoMeshx::new(500), Height::new(30), &Params::DEFAULT);
        assert_eq!((asked.price_max, asked.deadline), (NanoMeshx::new(7), Height::new(u64::MAX)));
    }

    #[test]
    fn the_time_to_run_and_to_compile_a_large_module_is_added() {
        let mut request = request();
        request.spec.module_len = 31_000_000;
        let deadline = |terms: &Terms| {
            let params = Params::DEFAULT;
            submission(&request, terms, NanoMeshx::ZERO, Height::new(30), &params).deadline.get()
        };
        assert_eq!(deadline(&TERMS), 30 + 1_200 + 120 + 620);
        let longest = Terms { deadline: Params::DEFAULT.deadline_blocks_max, ..TERMS };
        assert_eq!(deadline(&longest), 30 + 172_800, "no chain takes a later one");
    }
}
