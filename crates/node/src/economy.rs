//! Answers about prices, stake and earnings, from the chains' own state.

use crate::{backend::Answer, host::Node};
use api::{
    AttestationView, Code, DelegationView, EarningsView, FaucetAsked, FaucetGave, MarketView,
    Problem, StakeView, UnbondingView, ValidatorView,
};
use commonware_runtime::tokio::Context;
use consensus::Chain;
use staking::{Moment, Position, Sources};
use types::{
    Action, Address, ChainId, NanoMeshx,
    attest::AttestationRecord,
    codec::DecodeExt as _,
    committee::SeatsRecord,
    governance::{Proposal, ProposalStatus, Tally, ValidatorVotes},
    staking::{DelegationRecord, PeerAddresses, UnbondingRecord, ValidatorRecord},
    state::{Backed, Earned, Key, Market, Stake, Supply, TermRecord, Validators, VotesKey, pools},
};

/// What the faucet gives at a time: 500,000 MESHX, enough for a validator, or to decide a vote on a local mesh.
const FAUCET_GIVES: NanoMeshx = NanoMeshx::new(500_000_000_000_000);

/// Most proposals listed.
const PROPOSALS_MAX: usize = 200;

fn not_ready() -> Problem {
    Problem::new(Code::NotReady, "the chain has no final block yet").hint("try again in a second")
}

impl Node {
    pub(crate) async fn market_view(&self, chain: ChainId) -> Answer<MarketView> {
        let handle = &self.on(chain)?.chain;
        let height = handle.tip().ok_or_else(not_ready)?.height;
        let market: Market = handle.record(Key::Market).await.ok_or_else(not_ready)?;
        let supply: Supply = handle.record(Key::Supply).await.ok_or_else(not_ready)?;
        Ok(MarketView {
            chain,
            height,
            base_fee: market.base_fee,
            demand: market.demand,
            utilisation_bps: chain::utilisation_bps(&market),
            capacity: market.capacity,
            running: market.running,
            paused_until: market.paused_until,
            supply,
        })
    }

    pub(crate) async fn validator_views(&self) -> Answer<Vec<ValidatorView>> {
        let handle = &self.on(ChainId::Backbone)?.chain;
        let tip = handle.tip().ok_or_else(not_ready)?;
        let now = tip.timestamp;
        let known: Validators = handle.record(Key::Validators).await.unwrap_or_default();
        let seats: Option<SeatsRecord> = handle.record(Key::Seats(ChainId::Backbone)).await;
        let votes: Option<TermRecord> = handle.record(Key::Term(tip.term)).await;
        let seated = |record: &ValidatorRecord| match &seats {
            Some(drawn) => drawn.seats.iter().any(|seat| seat.key == record.key),
            None => votes.iter().any(|term| term.keys.iter().any(|key| *key == record.key)),
        };
        let mut views = Vec::with_capacity(known.len());
        for operator in known.iter() {
            let Some(record) = handle.record::<ValidatorRecord>(Key::Validator(*operator)).await
            else {
                continue;
            };
            let peers: PeerAddresses =
                handle.record(Key::Peers(*operator)).await.unwrap_or_default();
            views.push(ValidatorView {
                operator: *operator,
                key: record.key,
                standing: record.standing,
                tokens: record.tokens,
                commission_bps: staking::commission_at(record.commission, now),
                commission_owed: record.commission_owed,
                slashes: u8::try_from(record.slashes.len()).unwrap_or(u8::MAX),
                seated: seated(&record),
                peers: peers.iter().map(|address| address.as_str().to_owned()).collect(),
            });
        }
        Ok(views)
    }

    pub(crate) async fn stake_view(&self, address: Address) -> Answer<StakeView> {
        let handle = &self.on(ChainId::Backbone)?.chain;
        let tip = handle.tip().ok_or_else(not_ready)?;
        let now = Moment { height: tip.height, at: tip.timestamp };
        let backed: Backed = handle.record(Key::Backed(address)).await.unwrap_or_default();
        let mut delegations = Vec::with_capacity(backed.len());
        for validator in backed.iter() {
            delegations.extend(delegation(handle, address, *validator, now).await);
        }
        Ok(StakeView { address, height: tip.height, now: tip.timestamp, delegations })
    }

    pub(crate) async fn earnings_view(
        &self,
        chain: ChainId,
        address: Address,
    ) -> Answer<EarningsView> {
        let handle = &self.on(chain)?.chain;
        let earned: Earned = handle.record(Key::Earned(address)).await.unwrap_or_default();
        let (mut rewards_owed, mut commission_owed) = (NanoMeshx::ZERO, NanoMeshx::ZERO);
        if !chain.is_shard() {
            let stake = self.stake_view(address).await?;
            let owed = stake.delegations.iter().map(|delegation| delegation.owed);
            rewards_owed = owed.fold(NanoMeshx::ZERO, NanoMeshx::saturating_add);
            let own = handle.record::<ValidatorRecord>(Key::Validator(address)).await;
            commission_owed = own.map_or(NanoMeshx::ZERO, |record| record.commission_owed);
        }
        Ok(EarningsView { address, chain, earned, rewards_owed, commission_owed })
    }

    pub(crate) async fn attestation_view(
        &self,
        chain: ChainId,
        address: Address,
    ) -> Answer<AttestationView> {
        let handle = &self.on(chain)?.chain;
        let tip = handle.tip().ok_or_else(not_ready)?;
        let challenges = handle.record(Key::Challenges).await.unwrap_or_default();
        let record: Option<AttestationRecord> = handle.record(Key::Attested(address)).await;
        let now = tip.timestamp;
        let counts = record.as_ref().is_some_and(|record| record.until >= now);
        Ok(AttestationView { address, chain, challenges, record, counts, now })
    }

    /// The newest first, at most [`PROPOSALS_MAX`].
    pub(crate) async fn proposal_records(&self) -> Answer<Vec<Proposal>> {
        let handle = &self.on(ChainId::Backbone)?.chain;
        let count: u64 = handle.record(Key::ProposalCount).await.unwrap_or(0);
        let mut proposals = Vec::new();
        for id in (1..=count).rev().take(PROPOSALS_MAX) {
            let Some(mut proposal) = handle.record::<Proposal>(Key::Proposal(id)).await else {
                continue;
            };
            if matches!(proposal.status, ProposalStatus::Voting { .. }) {
                proposal.tally = running_tally(handle, id).await;
            }
            proposals.push(proposal);
        }
        Ok(proposals)
    }

    pub(crate) async fn give(&self, asked: FaucetAsked) -> Answer<FaucetGave> {
        let FaucetAsked { chain, address, amount } = asked;
        self.on(chain)?;
        let Some(faucet) = self.faucet(chain) else {
            return Err(if self.network_keys.dev_dealer {
                Problem::new(Code::NoFaucet, "this node does not have the key of a faucet").hint(format!(
                    "the development wallet has money: meshx wallet send {address} 1000 sends from it"
                ))
            } else {
                Problem::new(Code::NoFaucet, "only development networks have a faucet, and this is none")
                    .hint("ask somebody who has MESHX; meshx up starts a network with a faucet on this machine")
            });
        };
        if address.is_pool() {
            let detail = format!("{address} is an account of the protocol");
            return Err(Problem::new(Code::PoolAccount, detail));
        }
        let amount = amount.unwrap_or(FAUCET_GIVES).min(FAUCET_GIVES);
        let action = Action::Transfer { to: address, amount };
        let tx =
            faucet.say(action).await.map_err(|error| crate::backend::refusal_problem(&error))?;
        Ok(FaucetGave { tx, amount })
    }
}

/// The votes so far. The chain counts them once, when the vote closes.
async fn running_tally(handle: &Chain<Context>, proposal: u64) -> Tally {
    let known: Validators = handle.record(Key::Validators).await.unwrap_or_default();
    let mut tallies = Vec::new();
    for validator in known.iter().copied() {
        let votes = Key::ValidatorVotes(VotesKey { proposal, validator });
        // Both of one block: between two blocks, shares that voted may leave.
        let mut read =
            handle.records(&[votes, Key::Validator(validator)]).await.into_iter().flatten();
        let (Some(votes), Some(record)) = (read.next(), read.next()) else { continue };
        let votes = ValidatorVotes::decode(votes).expect("state holds what this code wrote");
        let record = ValidatorRecord::decode(record).expect("state holds what this code wrote");
        tallies.push(governance::count(&votes, &record));
    }
    governance::sum(tallies)
}

/// One line of what an account has at stake; `None` if the validator is unknown here.
async fn delegation(
    handle: &Chain<Context>,
    delegator: Address,
    validator: Address,
    now: Moment,
) -> Option<DelegationView> {
    let stake = Stake { delegator, validator };
    let record: ValidatorRecord = handle.record(Key::Validator(validator)).await?;
    let delegation: DelegationRecord =
        handle.record(Key::Delegation(stake)).await.unwrap_or_default();
    let leaving: UnbondingRecord = handle.record(Key::Unbonding(stake)).await.unwrap_or_default();
    let mut sources = Sources::new();
    for arrival in delegation.arrivals.iter() {
        let source: ValidatorRecord = handle.record(Key::Validator(arrival.from)).await?;
        sources.insert(arrival.from, source.slashes);
    }
    let position = Position { delegator, validator: record, delegation, sources };
    // What a claim would pay now, on a copy.
    let claimed = staking::claim(&mut position.clone(), now).unwrap_or_default();
    let owed = claimed
        .iter()
        .filter(|transfer| transfer.from == pools::rewards())
        .fold(NanoMeshx::ZERO, |sum, transfer| sum.saturating_add(transfer.amount));
    let unbonding = leaving
        .entries
        .iter()
        .map(|entry| UnbondingView { amount: entry.amount, matures: entry.matures })
        .collect();
    Some(DelegationView { validator, worth: position.worth(), owed, unbonding })
}
