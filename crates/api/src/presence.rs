//! Who stands where and who sits: views.

use crate::noun::{
    Address, ChainId, DrawRecord, Hash, PeriodRecord, Place, PresenceParams, PresenceRecord,
    PublicKey, VrfRecord,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where an operator's validator stands and sits, by the backbone's newest final block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PresenceView {
    /// The operator that was asked about.
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
    /// The chain on which the committee votes.
    #[schema(value_type = ChainId)]
    pub chain: types::ChainId,
    /// The committee's number among those drawn for the chain.
    pub number: u64,
}

/// All that claims of the period are made and judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeriodView {
    /// The period that is on: its number, its seed, when it began.
    #[schema(value_type = PeriodRecord)]
    pub period: types::presence::PeriodRecord,
    /// The rule that claims of it are judged by.
    #[schema(value_type = PresenceParams)]
    pub params: types::presence::PresenceParams,
    /// In the order that certificates number them by.
    pub witnesses: Vec<WitnessView>,
}

/// One who measures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WitnessView {
    /// The key under which it signs the minima that it measures.
    #[schema(value_type = PublicKey)]
    pub key: types::PublicKey,
    /// Where it stands, by its own certificate.
    #[schema(value_type = Place)]
    pub place: types::Place,
    /// The account whose validator it is: few witnesses of a claim may be of one operator.
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
    /// The shortest round-trip time it measured, in microseconds.
    pub rtt_us: u32,
}
