//! Transactions: the one door through which state changes.

use crate::{
    Address, Agreement, ChainId, City, EquivocationProof, Hash, Height, Import, JobId, JobSpec,
    NanoMeshx, Nonce, Outcome, PublicKey, Signature, Text, Wire,
    attest::Attestation,
    codec::{Encode as _, EncodeSize as _, FixedSize as _, Write as _},
    committee::{SeatsRecord, Ticket},
    governance::{Decree, ProposalId, ProposalKind, VoteOption},
    hash::domain_hash,
    presence::PresenceCertificate,
    staking::StakeOrder,
};
use serde::{Deserialize, Serialize};

/// A transaction's name: the hash of all it says except its signature.
pub type TxId = Hash;

/// What a sender asks one chain to do. Form is checked, meaning is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Tx {
    /// The chain it is for. Other chains refuse it.
    pub chain: ChainId,
    /// The key that signs it.
    pub sender: PublicKey,
    /// Which of the sender's transactions on this chain it is. It counts once.
    pub nonce: Nonce,
    /// What the proposer of the block gets, beside the base fee that is burned.
    pub tip: NanoMeshx,
    /// The highest base fee that the sender pays. In a block that asks for more, the transaction waits.
    pub fee_max: NanoMeshx,
    /// What the sender asks for.
    pub action: Action,
    /// By `sender`, over [`Tx::signing_bytes`].
    pub signature: Signature,
}

/// The action a transaction carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// Send money to another account of this chain.
    #[wire(tag = 0)]
    Transfer {
        /// The account that receives it.
        to: Address,
        /// In nano-MESHX.
        amount: NanoMeshx,
    },
    /// Offer to run jobs.
    #[wire(tag = 1)]
    RegisterWorker {
        /// Most jobs it runs at once; none while it rests.
        capacity: u16,
        /// Where it says it is.
        city: City,
        /// The lowest price that it accepts for a core-second; zero for any.
        floor: NanoMeshx,
    },
    /// Ask for a job to be run, and put its price into escrow.
    #[wire(tag = 2)]
    SubmitJob(Submission),
    /// Promise an outcome without showing it: [`Reveal::commitment`].
    #[wire(tag = 3)]
    Commit {
        /// The id of the job.
        job: JobId,
        /// [`Reveal::commitment`].
        commitment: Hash,
    },
    /// Open the commitment.
    #[wire(tag = 4)]
    Reveal(Reveal),
    /// Take back a job that no worker has been drawn for.
    #[wire(tag = 5)]
    CancelJob {
        /// The id of the job.
        job: JobId,
    },
    /// Stand for a module, and ask for a part of what jobs that run it pay.
    #[wire(tag = 6)]
    PublishModule {
        /// BLAKE3 of the module's bytes.
        module: Hash,
        /// The author's share in basis points, out of the workers' share.
        royalty_bps: u16,
    },
    /// A worker is still there.
    #[wire(tag = 7)]
    Heartbeat,
    /// Bond, delegate, withdraw, claim: see [`StakeOrder`].
    #[wire(tag = 8)]
    Stake(StakeOrder),
    /// Prove that a validator signed votes that contradict each other. Anyone may.
    #[wire(tag = 9)]
    Report(EquivocationProof),
    /// Propose a decision, and put a deposit down for it.
    #[wire(tag = 11)]
    Propose {
        /// A short text that people know it by.
        title: Text<120>,
        /// What the proposal does if it passes.
        kind: ProposalKind,
    },
    /// Vote with all stake the sender has; a validator's operator also for those behind it who do not vote.
    #[wire(tag = 12)]
    Vote {
        /// The number of the proposal.
        proposal: ProposalId,
        /// The choice. A later vote replaces it.
        option: VoteOption,
    },
    /// Bring a shard the next decision of the backbone. Free: each is brought once.
    #[wire(tag = 13)]
    ImportDecree(Import<Decree>),
    /// Prove what machine holds the sender's key.
    #[wire(tag = 14)]
    Attest(Attestation),
    /// Take out what has vested.
    #[wire(tag = 10)]
    ClaimVested {
        /// In nano-MESHX.
        amount: NanoMeshx,
    },
    /// Ask for a seat. Free: a validator has one for each epoch.
    #[wire(tag = 15)]
    Ticket(Ticket),
    /// Prove where the validator stands that votes with the key that was measured. Anybody may.
    #[wire(tag = 16)]
    Certify(PresenceCertificate),
    /// Tell a shard who is to make its blocks. Free: each number is told once.
    #[wire(tag = 17)]
    ImportSeats(Import<SeatsRecord>),
}

/// A job and what its payer offers for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Submission {
    /// What to run.
    pub spec: JobSpec,
    /// How many workers run it, and how many must agree.
    pub agreement: Agreement,
    /// Goes into escrow; what is not earned comes back when the job settles.
    pub price_max: NanoMeshx,
    /// The block that ends the job if nothing else has.
    pub deadline: Height,
    /// Refuse an answer from the result cache and run anew.
    pub fresh: bool,
}

/// A worker's receipt: what the job gave, opened after everyone had committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Reveal {
    /// The id of the job.
    pub job: JobId,
    /// What the run gave.
    pub outcome: Outcome,
    /// Random bytes, so that nobody can guess the outcome from the commitment.
    pub salt: Hash,
}

impl Reveal {
    /// What `worker` must have committed to before: it binds job, worker, outcome and salt, so that
    /// nobody can copy another's commitment.
    pub fn commitment(&self, worker: &Address) -> Hash {
        domain_hash("meshx/commitment/v1", &[&worker.encode(), &self.encode()])
    }
}

/// A transaction's bytes, encoded once for all that is made from them.
pub struct SignedForm {
    /// The network's id, then the encoded transaction.
    bytes: Vec<u8>,
}

impl SignedForm {
    /// The bytes the sender signs.
    pub fn signing_bytes(&self) -> &[u8] {
        &self.bytes[..self.bytes.len() - Signature::SIZE]
    }
    /// [`Tx::id`].
    pub fn id(&self) -> TxId {
        domain_hash(Tx::DOMAIN, &[&self.signing_bytes()[Hash::SIZE..]])
    }
    /// The transaction's length on the wire.
    pub fn bytes(&self) -> usize {
        self.bytes.len() - Hash::SIZE
    }
}

/// What a sender asks of a chain, before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The chain it is for.
    pub chain: ChainId,
    /// As in [`Tx::nonce`].
    pub nonce: Nonce,
    /// As in [`Tx::tip`].
    pub tip: NanoMeshx,
    /// As in [`Tx::fee_max`].
    pub fee_max: NanoMeshx,
    /// What the sender will ask for.
    pub action: Action,
}

impl Tx {
    /// What a sender's signature is made under, and what a transaction's id is hashed under.
    pub const DOMAIN: &'static str = "meshx/tx/v2";
    /// A [`Tx::fee_max`] of one who pays any base fee: it never stops the transaction.
    pub const ANY_FEE: NanoMeshx = NanoMeshx::new(u64::MAX);

    /// `intent`, signed by `sender` for the network named `network` (the hash of its network keys).
    ///
    /// `sign` makes a signature with the sender's key, under a domain: this crate holds no keys. With one
    /// of `crypto`'s it is `|domain, message| key.sign(domain, message)`.
    ///
    /// ```
    /// use types::{Action, ChainId, Hash, Intent, NanoMeshx, Nonce, PublicKey, Tx};
    /// let (chain, tip, fee_max) = (ChainId::Europe, NanoMeshx::ZERO, NanoMeshx::new(4_000));
    /// let nonce = Nonce::strict(7);
    /// let intent = Intent { chain, nonce, tip, fee_max, action: Action::Heartbeat };
    /// let tx = Tx::signed(&Hash([1; 32]), PublicKey([2; 32]), intent, |_domain, _message| [3; 64]);
    /// assert_eq!((tx.nonce, tx.signature.0), (nonce, [3; 64]));
    /// ```
    pub fn signed(
        network: &Hash,
        sender: PublicKey,
        intent: Intent,
        sign: impl FnOnce(&'static str, &[u8]) -> [u8; 64],
    ) -> Self {
        let Intent { chain, nonce, tip, fee_max, action } = intent;
        let signature = Signature([0; Signature::SIZE]);
        let mut tx = Self { chain, sender, nonce, tip, fee_max, action, signature };
        tx.signature = Signature(sign(Self::DOMAIN, tx.signed_form(network).signing_bytes()));
        tx
    }

    /// The transaction as it is signed on the network named `network` (the hash of its network keys): a
    /// transaction of one network means nothing on another.
    pub fn signed_form(&self, network: &Hash) -> SignedForm {
        let mut bytes = Vec::with_capacity(Hash::SIZE + self.encode_size());
        bytes.extend_from_slice(&network.0);
        self.write(&mut bytes);
        SignedForm { bytes }
    }

    /// [`SignedForm::signing_bytes`], for callers that need nothing else.
    pub fn signing_bytes(&self, network: &Hash) -> Vec<u8> {
        self.signed_form(network).signing_bytes().to_vec()
    }

    /// The hash that names the transaction. It covers all but the signature.
    pub fn id(&self) -> TxId {
        self.signed_form(&Hash::default()).id()
    }

    /// The address that pays and whose nonce counts.
    pub fn from(&self) -> Address {
        Address::of(&self.sender)
    }
}
