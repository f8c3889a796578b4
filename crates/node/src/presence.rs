//! Answers about where validators stand and who measures them, from the backbone's own state.

use crate::{backend::Answer, host::Node};
use api::{Code, MeasuredView, PeriodView, PresenceView, Problem, SeatView, WitnessView};
use std::collections::BTreeMap;
use types::{
    Address, ChainId, Hash, Millis, PublicKey,
    attest::AttestationRecord,
    committee::{DrawRecord, SeatsRecord, TicketRecord},
    presence::{MeasuredRecord, PeriodRecord, PresenceRecord, WitnessList},
    staking::PeerAddresses,
    state::Key,
};

impl Node {
    pub(crate) async fn presence_view(&self, address: Address) -> Answer<PresenceView> {
        let handle = &self.on(ChainId::Backbone)?.chain;
        let now = handle.tip().map_or(Millis::ZERO, |tip| tip.timestamp);
        let record: Option<PresenceRecord> = handle.record(Key::Presence(address)).await;
        let draw: Option<DrawRecord> = handle.record(Key::Draw).await;
        let ticket: Option<TicketRecord> = handle.record(Key::Ticket(address)).await;
        let attestation: Option<AttestationRecord> = handle.record(Key::Attested(address)).await;
        let mut seats = Vec::new();
        for chain in ChainId::ALL {
            let drawn: Option<SeatsRecord> = handle.record(Key::Seats(chain)).await;
            let Some(drawn) = drawn else { continue };
            if drawn.seats.iter().any(|seat| seat.operator == address) {
                seats.push(SeatView { chain, number: drawn.number });
            }
        }
        Ok(PresenceView {
            address,
            certified: record.as_ref().is_some_and(|record| record.is_certified(now)),
            record,
            now,
            vrf: handle.record(Key::Vrf(address)).await,
            attestation: attestation.map_or(Hash::ZERO, |record| record.id()),
            ticket: ticket.is_some_and(|ticket| Some(ticket.epoch) == draw.map(|draw| draw.epoch)),
            draw,
            seats,
        })
    }

    pub(crate) async fn period_view(&self) -> Answer<PeriodView> {
        let handle = &self.on(ChainId::Backbone)?.chain;
        let Some(period) = handle.record::<PeriodRecord>(Key::Period).await else {
            return Err(Problem::new(Code::NoPeriod, "this network has no witnesses")
                .hint("validators can be witnesses once they announce their addresses: meshx stake announce"));
        };
        let list: WitnessList = handle.record(Key::Witnesses).await.unwrap_or_default();
        let places: BTreeMap<PublicKey, u16> =
            (0_u16..).zip(list.iter()).map(|(place, witness)| (witness.key, place)).collect();
        let mut witnesses = Vec::with_capacity(list.len());
        for witness in list.iter() {
            let peers: PeerAddresses =
                handle.record(Key::Peers(witness.operator)).await.unwrap_or_default();
            let record: Option<MeasuredRecord> = handle.record(Key::Measured(witness.key)).await;
            let row = record.as_ref().and_then(|record| record.frozen(period.number));
            let measured = row.iter().flat_map(|row| row.times.iter()).filter_map(|measured| {
                let witness = *places.get(&measured.witness)?;
                Some(MeasuredView { witness, rtt_us: measured.rtt_us })
            });
            witnesses.push(WitnessView {
                key: witness.key,
                place: witness.place,
                operator: witness.operator,
                network: witness.network,
                peers: peers.iter().map(|address| address.as_str().to_owned()).collect(),
                measured: measured.collect(),
            });
        }
        let params = self.params_of(ChainId::Backbone).await?.presence;
        Ok(PeriodView { period, params, witnesses })
    }
}
