//! An imported record has its parts' bytes one after the other, and in JSON goes by its name.

use crate::sample::{imported_decree, imported_seats};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;
use types::{Action, Import, Imported, Proved, codec::Encode};

#[test]
fn an_imported_record_is_flat() {
    is_flat("seats", &imported_seats(), Action::ImportSeats(imported_seats()));
    is_flat("decree", &imported_decree(), Action::ImportDecree(imported_decree()));
}

#[track_caller]
fn is_flat<T>(name: &str, import: &Import<T>, action: Action)
where
    T: Imported + Encode + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let Import { network_keys, proved: Proved { record, header, certificate, proof } } = import;
    let parts = [
        network_keys.encode(),
        record.encode(),
        header.encode(),
        certificate.encode(),
        proof.encode(),
    ];
    assert_eq!(import.encode(), parts.concat());
    let json = serde_json::to_string(import).unwrap();
    let parts = [
        ("network_keys", serde_json::to_string(network_keys)),
        (name, serde_json::to_string(record)),
        ("header", serde_json::to_string(header)),
        ("certificate", serde_json::to_string(certificate)),
        ("proof", serde_json::to_string(proof)),
    ];
    let parts = parts.map(|(name, json)| format!("\"{name}\":{}", json.unwrap()));
    assert_eq!(json, format!("{{{}}}", parts.join(",")));
    assert_eq!(serde_json::from_str::<Import<T>>(&json).unwrap(), *import);
    let json = serde_json::to_string(&action).unwrap();
    assert_eq!(serde_json::from_str::<Action>(&json).unwrap(), action);
}
