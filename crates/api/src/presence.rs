//! Who stands where and who sits: nouns for the description of the API, as in [`noun`](crate::noun), and views.

#![allow(dead_code, reason = "nouns are read by a derive, not by code")]

use crate::noun::{Address, Amount, Anchor, ChainId, Hash, Header, Hex, PublicKey, Signature};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where an operator's validator stands and sits, by the backbone's newest final block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PresenceView {
    #[schema(value_type = Address)]
    pub address: types::Address,
    /// By its newest certificate; null: it never had one.
    #[schema(value_type = Option<PresenceRecord>)]
    pub record: Option<types::presence::PresenceRecord>,
    /// Whether that says at `now` that it may vote and witness.
    pub certified: bool,
    /// The newest block's time.
    #[schema(value_type = u64)]
    pub now: types::Millis,
    /// What it draws lots and witnesses with.
    #[schema(value_type = Option<VrfRecord>)]
    pub vrf: Option<types::committee::VrfRecord>,
    /// What claims and tickets of it name: its attestation on the backbone, zero for none.
    #[schema(value_type = Hash)]
    pub attestation: types::Hash,
    /// The draw that is open; null before the first.
    #[schema(value_type = Option<DrawRecord>)]
    pub draw: Option<types::committee::DrawRecord>,
    /// Whether it has a ticket in it.
    pub ticket: bool,
    /// The committees it was drawn for last.
    pub seats: Vec<SeatView>,
}

/// A seat in a committee that was drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeatView {
    #[schema(value_type = ChainId)]
    pub chain: types::ChainId,
    /// The committee's number among those drawn for the chain.
    pub number: u64,
}

/// All that claims of the period are made and judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeriodView {
    #[schema(value_type = PeriodRecord)]
    pub period: types::presence::PeriodRecord,
    #[schema(value_type = PresenceParams)]
    pub params: types::presence::PresenceParams,
    /// In the order that certificates number them by.
    pub witnesses: Vec<WitnessView>,
}

/// One who measures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WitnessView {
    #[schema(value_type = PublicKey)]
    pub key: types::PublicKey,
    #[schema(value_type = Place)]
    pub place: types::Place,
    #[schema(value_type = Address)]
    pub operator: types::Address,
    /// The autonomous system; from 2³¹ on: not known.
    pub network: u32,
    /// Where nodes of its operator are met, as that one says.
    pub peers: Vec<String>,
    /// What counts in this period of what others measured of it.
    pub measured: Vec<MeasuredView>,
}

/// A round trip between two of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeasuredView {
    /// Who measured, by its place in the list.
    pub witness: u16,
    pub rtt_us: u32,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PresenceRecord {
    /// provisional, certified.
    tier: String,
    continent: ChainId,
    place: Place,
    /// What was measured: the key the validator votes with.
    key: PublicKey,
    certificate: Hash,
    period: u64,
    issued: u64,
    expires: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct VrfRecord {
    key: Hash,
    /// The block it came in.
    registered: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DrawRecord {
    epoch: u64,
    boundary: u64,
    /// Zero until it has come.
    seed: Hash,
    opens: u64,
    closes: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PeriodRecord {
    number: u64,
    began: u64,
    started: u64,
    /// Zero until it has come.
    seed: Hash,
}

/// When a claim to stand somewhere holds.
#[derive(Serialize, ToSchema)]
pub(crate) struct PresenceParams {
    witnesses_near: u16,
    witnesses_anywhere: u16,
    pool: u16,
    operator_max: u16,
    network_max: u16,
    able_min: u16,
    refuted_bps: u16,
    far_km: u16,
    border_km: u16,
    strict_m_per_ms: u32,
    usual_m_per_ms: u32,
    valid_ms: u64,
    period_ms: u64,
    marks_max: u16,
}

/// How committees are drawn.
#[derive(Serialize, ToSchema)]
pub(crate) struct SortitionParams {
    seats_min: u16,
    operator_seats_max: u16,
    seats: u16,
    ticket_blocks: u64,
    /// 1: only who is certified to stand somewhere sits on the backbone.
    presence_required: u16,
}

/// A validator asks for a seat.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ticket {
    epoch: u64,
    operator: Address,
    /// An ECVRF proof (RFC 9381, suite 4).
    proof: Hex,
}

/// All that shows where a node stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct PresenceCertificate {
    claim: Claim,
    draw: Hex,
    transcript: Hash,
    signature: Signature,
    minima: Vec<Minimum>,
}

/// What a node says of itself for a period.
#[derive(Serialize, ToSchema)]
pub(crate) struct Claim {
    prover: PublicKey,
    place: Place,
    continent: ChainId,
    attestation: Hash,
    vrf_key: Hash,
    period: u64,
}

/// Latitude and longitude in degrees: `52.5200,13.4050`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Place(String);

/// The quickest of a witness's round trips.
#[derive(Serialize, ToSchema)]
pub(crate) struct Minimum {
    /// By its place in the period's list.
    witness: u16,
    rtt_us: u32,
    signature: Signature,
}

/// The seats of a shard, with what proves them.
#[derive(Serialize, ToSchema)]
pub(crate) struct RelayedSeats {
    anchor: Anchor,
    seats: SeatsRecord,
    header: Header,
    certificate: Hex,
    proof: Hex,
}

/// Who was drawn for a chain last.
#[derive(Serialize, ToSchema)]
pub(crate) struct SeatsRecord {
    chain: ChainId,
    number: u64,
    /// The block of the backbone that drew them.
    chosen: u64,
    /// The luckiest first.
    seats: Vec<CommitteeSeat>,
}

/// One seat, and the stake behind it when it was drawn.
#[derive(Serialize, ToSchema)]
pub(crate) struct CommitteeSeat {
    operator: Address,
    key: PublicKey,
    tokens: Amount,
}
