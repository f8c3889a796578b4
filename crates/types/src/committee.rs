//! Committees on the chain: keys for lots, tickets, the draw that is open, and the seats that were drawn.

use crate::{
    Address, ChainId, Epoch, Hash, Height, List, NanoMeshx, PublicKey, Wire,
    codec::{Bytes, Encode},
    hash::domain_hash,
    network::VALIDATORS_MAX,
    presence::VRF_PROOF_BYTES,
};
use serde::{Deserialize, Serialize};

/// Rules of the draw with a number in them. Set at genesis, changed by governance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct SortitionParams {
    /// Fewest seats a committee can do its work with. Zero means one: a committee of nobody decides nothing.
    pub seats_min: u16,
    /// Most seats of one operator, however many keys it has. Usually 1; with 0 nobody sits.
    pub operator_seats_max: u16,
    /// Most seats of a shard's committee. The backbone has as many as `staking.validators_max` says.
    pub seats: u16,
    /// The last block after a boundary in which tickets are taken; never beyond the last one before the next boundary.
    pub ticket_blocks: u64,
    /// 1: only who is certified to stand somewhere sits in the backbone's committee. 0: stake and a ticket are enough, for a
    /// network that has no witnesses. A shard's seats are for those who are certified to stand there in either case.
    pub presence_required: u16,
}

impl SortitionParams {
    /// Four seats stand one fault; a hundred is what one committee can be (DESIGN §4).
    pub const DEFAULT: Self = Self {
        seats_min: 4,
        operator_seats_max: 1,
        seats: 100,
        ticket_blocks: 7_000,
        presence_required: 1,
    };
}

/// The key an operator draws its lots and its witnesses with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct VrfRecord {
    /// An ECVRF public key (RFC 9381), of nothing else.
    pub key: Hash,
    /// It counts for seeds that were asked for after this block: none was known when it was chosen.
    pub registered: Height,
}

/// A VRF proof (RFC 9381, suite 4).
pub type VrfProofBytes = Bytes<VRF_PROOF_BYTES>;

/// What a VRF key proves over when `operator` registers it: the key itself says whose it is, on this network only.
#[must_use]
pub fn vrf_possession(network: &Hash, operator: &Address) -> Hash {
    domain_hash("meshx/vrf/possession/v1", &[&network.0, &operator.encode()])
}

/// What a ticket's lot is drawn from.
#[must_use]
pub fn ticket_alpha(epoch: Epoch, seed: &Hash, attestation: &Hash) -> Hash {
    domain_hash("meshx/ticket/v1", &[&epoch.get().to_be_bytes(), &seed.0, &attestation.0])
}

/// The draw that is open, or whose seed is awaited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct DrawRecord {
    /// Counts up from 1, one for each boundary of the backbone.
    pub epoch: Epoch,
    /// The boundary whose beacon is the seed.
    pub boundary: Height,
    /// Zero until it has come.
    pub seed: Hash,
    /// The first block that may hold a ticket for this draw.
    pub opens: Height,
    /// The last block that may hold a ticket for this draw.
    pub closes: Height,
}

/// A validator asks to sit in a committee of an epoch. Anybody may carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Ticket {
    /// [`DrawRecord::epoch`] of the draw it is for.
    pub epoch: Epoch,
    /// Whose validator.
    pub operator: Address,
    /// Of the operator's VRF key, over [`ticket_alpha`].
    pub proof: VrfProofBytes,
}

/// A ticket that counts: its lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct TicketRecord {
    /// [`DrawRecord::epoch`] of the draw it is for.
    pub epoch: Epoch,
    /// The 64 bytes of the VRF's output.
    pub output: Bytes<64>,
}

/// One seat of a committee, and the stake behind it when it was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct CommitteeSeat {
    /// The operator of the validator that has this seat.
    pub operator: Address,
    /// The key that this validator votes with.
    pub key: PublicKey,
    /// All stake behind the validator at the draw, in nano-MESHX.
    pub tokens: NanoMeshx,
}

/// Who was drawn for a chain last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct SeatsRecord {
    /// The chain on which this committee votes.
    pub chain: ChainId,
    /// Counts up from 1 for each chain.
    pub number: u64,
    /// The block of the backbone that drew them.
    pub chosen: Height,
    /// The luckiest first.
    pub seats: List<CommitteeSeat, VALIDATORS_MAX>,
}
