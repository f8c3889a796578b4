//! Every type that has bytes: what decodes encodes to the very same bytes.

use measure::{ToProver, ToWitness};
use types::{
    Address, Agreement, Beacon, Block, Body, EquivocationProof, Header, Import, JobSpec, Outcome,
    Reveal, Submission, Tx,
    codec::{Decode, DecodeExt, Encode},
    committee::{DrawRecord, SeatsRecord, Ticket},
    network::{Genesis, NetworkKeys},
    presence::{MeasuredRecord, PeriodRecord, PresenceCertificate, PresenceRecord, WitnessList},
    state::{
        Account, Assignment, Due, Heights, JobRecord, Key, Params, Phase, Queued, Settlement,
        Supply, WorkerRecord,
    },
};

/// The first byte chooses the type, in an order that seeds rely on.
pub(crate) fn run(input: &[u8]) {
    let Some((kind, bytes)) = input.split_first() else { return };
    match kind {
        0 => one_form::<Tx>(bytes),
        1 => one_form::<Block>(bytes),
        2 => one_form::<Account>(bytes),
        3 => one_form::<Supply>(bytes),
        4 => one_form::<JobRecord>(bytes),
        5 => one_form::<WorkerRecord>(bytes),
        6 => one_form::<Key>(bytes),
        7 => one_form::<Genesis>(bytes),
        8 => one_form::<NetworkKeys>(bytes),
        9 => one_form::<Params>(bytes),
        10 => one_form::<Queued>(bytes),
        11 => one_form::<Heights>(bytes),
        12 => one_form::<Due>(bytes),
        13 => one_form::<Header>(bytes),
        14 => one_form::<Body>(bytes),
        15 => one_form::<Beacon>(bytes),
        16 => one_form::<Submission>(bytes),
        17 => one_form::<JobSpec>(bytes),
        18 => one_form::<Settlement>(bytes),
        19 => one_form::<Phase>(bytes),
        20 => one_form::<Assignment>(bytes),
        21 => one_form::<Outcome>(bytes),
        22 => one_form::<Reveal>(bytes),
        23 => one_form::<Agreement>(bytes),
        24 => one_form::<Address>(bytes),
        25 => one_form::<EquivocationProof>(bytes),
        26 => one_form::<PresenceCertificate>(bytes),
        27 => one_form::<ToWitness>(bytes),
        28 => one_form::<ToProver>(bytes),
        29 => one_form::<Ticket>(bytes),
        30 => one_form::<Import<SeatsRecord>>(bytes),
        31 => one_form::<SeatsRecord>(bytes),
        32 => one_form::<DrawRecord>(bytes),
        33 => one_form::<PresenceRecord>(bytes),
        34 => one_form::<MeasuredRecord>(bytes),
        35 => one_form::<WitnessList>(bytes),
        36 => one_form::<PeriodRecord>(bytes),
        _ => {}
    }
}

fn one_form<T: Decode<Cfg = ()> + Encode>(bytes: &[u8]) {
    let Ok(value) = T::decode(bytes.to_vec()) else { return };
    let again = value.encode();
    assert_eq!(again.len(), value.encode_size(), "a value knows its length");
    assert_eq!(again.as_ref(), bytes, "a value has one byte form");
}
