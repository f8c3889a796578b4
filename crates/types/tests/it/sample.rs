//! Values of every noun: those that `vectors/` pins, and those that show the other variants.

mod ledger;
mod stake;
mod variants;

pub use ledger::{submission, tx};
pub use stake::{imported_decree, imported_seats};

use crate::json::Json;
use serde::{Serialize, de::DeserializeOwned};
use std::any::Any;
use types::{
    Address, Block, FinalHeader, Hash, Header, PublicKey, SignedVote, Tx,
    attest::AttestationRecord,
    codec::{DecodeExt, Encode, Read},
    describe::{Type, Wire},
    network::{Genesis, NetworkKeys},
    presence::PresenceCertificate,
};

/// The network that signatures in the vectors are for.
pub const NETWORK: Hash = Hash([9; 32]);

/// Reads a value's JSON and gives its bytes, or says why it cannot.
type OfJson = fn(&str) -> Result<Vec<u8>, String>;

/// One value, in all its forms.
pub struct Sample {
    pub name: &'static str,
    pub of: Type,
    pub bytes: Vec<u8>,
    /// What serde makes of it, if it does.
    pub json: Option<serde_json::Value>,
    /// What else has bytes or a name: signing bytes, an id.
    pub names: Vec<(&'static str, Json)>,
    /// Decode other bytes as the same type: the bytes it encodes to, and what serde makes of it.
    pub decode: fn(&[u8]) -> Option<Decoded>,
    /// Read JSON as the same type: the bytes it encodes to.
    pub of_json: Option<OfJson>,
}

pub type Decoded = (Vec<u8>, Option<serde_json::Value>);

/// The values in `vectors/`.
pub fn vectors() -> Vec<Sample> {
    let mut all = Vec::new();
    ledger::add_all(&mut all);
    stake::add_all(&mut all);
    all
}

/// Values with the variants that no vector has.
pub fn others() -> Vec<Sample> {
    let mut all = Vec::new();
    variants::add_all(&mut all);
    all
}

fn add<T>(all: &mut Vec<Sample>, name: &'static str, value: &T)
where
    T: Any + Wire + Encode + Read<Cfg = ()> + PartialEq + Serialize + DeserializeOwned,
{
    all.push(Sample {
        json: Some(json(value)),
        decode: |bytes| {
            T::decode(bytes.to_vec())
                .ok()
                .map(|value| (value.encode().to_vec(), Some(json(&value))))
        },
        of_json: Some(|text| {
            let value: T = serde_json::from_str(text).map_err(|error| error.to_string())?;
            Ok(value.encode().to_vec())
        }),
        ..bare(name, value)
    });
}

/// [`add`] for what serde does not know.
fn add_bare<T>(all: &mut Vec<Sample>, name: &'static str, value: &T)
where
    T: Any + Wire + Encode + Read<Cfg = ()> + PartialEq,
{
    all.push(bare(name, value));
}

fn bare<T>(name: &'static str, value: &T) -> Sample
where
    T: Any + Wire + Encode + Read<Cfg = ()> + PartialEq,
{
    let bytes = value.encode().to_vec();
    assert!(T::decode(bytes.clone()).is_ok_and(|known| known == *value), "{name}");
    let decode =
        |bytes: &[u8]| T::decode(bytes.to_vec()).ok().map(|value| (value.encode().to_vec(), None));
    Sample { name, of: T::TYPE, bytes, json: None, names: names(value), decode, of_json: None }
}

/// By way of text, because values of `serde_json` hold no 128 bits.
fn json(value: &impl Serialize) -> serde_json::Value {
    let text = serde_json::to_string(value).expect("a noun is JSON");
    serde_json::from_str(&text).expect("it is JSON")
}

/// What is signed of a value, and what it is called.
fn names(value: &dyn Any) -> Vec<(&'static str, Json)> {
    let hex = |bytes: &[u8]| Json::text(hex::encode(bytes));
    let id = |id: Hash| vec![("id", hex(&id.0))];
    if let Some(tx) = value.downcast_ref::<Tx>() {
        let signing = signing(Tx::DOMAIN, Some(NETWORK), &tx.signing_bytes(&NETWORK));
        return [signing, id(tx.id())].concat();
    }
    if let Some(vote) = value.downcast_ref::<SignedVote>() {
        return signing(SignedVote::DOMAIN, Some(NETWORK), &vote.message(&NETWORK));
    }
    if let Some(certificate) = value.downcast_ref::<PresenceCertificate>() {
        let PresenceCertificate { claim, transcript, .. } = certificate;
        let message = PresenceCertificate::message(&claim.id(), transcript);
        return [signing(PresenceCertificate::DOMAIN, None, &message), id(certificate.id())]
            .concat();
    }
    let header = |header: &Header| id(header.id());
    None.or(value.downcast_ref::<Block>().map(|block| header(&block.header)))
        .or(value.downcast_ref::<FinalHeader>().map(|known| header(&known.header)))
        .or(value.downcast_ref::<AttestationRecord>().map(|record| id(record.id())))
        .or(value.downcast_ref::<NetworkKeys>().map(|network_keys| id(network_keys.network())))
        .or(value.downcast_ref::<Genesis>().map(|genesis| id(genesis.id())))
        .unwrap_or_default()
}

fn signing(domain: &str, network: Option<Hash>, bytes: &[u8]) -> Vec<(&'static str, Json)> {
    let network = network.map(|network| ("network", Json::text(network.to_string())));
    let bytes = ("bytes", Json::text(hex::encode(bytes)));
    let parts = [("domain", Json::text(domain))].into_iter().chain(network).chain([bytes]);
    vec![("signing", Json::object(parts))]
}

fn hash(n: u8) -> Hash {
    Hash([n; 32])
}
fn address(n: u8) -> Address {
    Address::of(&PublicKey([n; 32]))
}
