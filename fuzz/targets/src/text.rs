//! What people type and programs send as text.

use api::{
    AccountView, BlobView, BlockView, JobView, NetworkStatus, Page, Problem, ProofView, Submitted,
    Why,
};
use serde_json::{from_slice, to_vec};
use std::{fmt::Display, str::FromStr};
use types::{
    Address, ChainId, Hash, Header, NanoMeshx, Submission, Tx,
    network::{Genesis, NetworkKeys},
    state::{JobRecord, Params, WorkerRecord},
};

/// What a text parses to is shown as a text that parses to the same.
pub(crate) fn parsers(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    shown::<Address>(text);
    shown::<NanoMeshx>(text);
    shown::<Hash>(text);
    shown::<ChainId>(text);
}

fn shown<T: FromStr + Display + PartialEq>(text: &str) {
    let Ok(value) = text.parse::<T>() else { return };
    let again = value.to_string();
    assert!(again.parse::<T>().is_ok_and(|same| same == value), "{text:?} is shown as {again:?}");
}

/// The first byte chooses the type: what reads as JSON is written as JSON that reads the same.
pub(crate) fn json(input: &[u8]) {
    let Some((kind, bytes)) = input.split_first() else { return };
    match kind {
        b'0' => same::<Tx>(bytes),
        b'1' => same::<Submission>(bytes),
        b'2' => same::<NetworkKeys>(bytes),
        b'3' => same::<Genesis>(bytes),
        b'4' => same::<JobRecord>(bytes),
        b'5' => same::<WorkerRecord>(bytes),
        b'6' => same::<Params>(bytes),
        b'7' => same::<Header>(bytes),
        b'a' => same::<JobView>(bytes),
        b'b' => same::<AccountView>(bytes),
        b'c' => same::<ProofView>(bytes),
        b'd' => same::<BlockView>(bytes),
        b'e' => same::<Why>(bytes),
        b'f' => same::<Submitted>(bytes),
        b'g' => same::<Page<BlobView>>(bytes),
        b'h' => same::<Problem>(bytes),
        b'i' => same::<NetworkStatus>(bytes),
        _ => {}
    }
}

fn same<T: serde::Serialize + serde::de::DeserializeOwned>(bytes: &[u8]) {
    let Ok(value) = from_slice::<T>(bytes) else { return };
    let written = to_vec(&value).expect("plain data is JSON");
    let again: T = from_slice(&written).expect("what we write we read");
    assert_eq!(to_vec(&again).expect("plain data is JSON"), written);
}
