//! A relayed record has its parts' bytes one after the other, and in JSON goes by its name.

use crate::sample::{relayed_decree, relayed_seats};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;
use types::{Action, Proved, Relay, Relayed, codec::Encode};

#[test]
fn a_relayed_record_is_flat() {
    is_flat("seats", &relayed_seats(), Action::Seat(relayed_seats()));
    is_flat("decree", &relayed_decree(), Action::Relay(relayed_decree()));
}

#[track_caller]
fn is_flat<T>(name: &str, relayed: &Relayed<T>, action: Action)
where
    T: Relay + Encode + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let Relayed { anchor, proved: Proved { record, header, certificate, proof } } = relayed;
    let parts =
        [anchor.encode(), record.encode(), header.encode(), certificate.encode(), proof.encode()];
    assert_eq!(relayed.encode(), parts.concat());
    let json = serde_json::to_string(relayed).unwrap();
    let parts = [
        ("anchor", serde_json::to_string(anchor)),
        (name, serde_json::to_string(record)),
        ("header", serde_json::to_string(header)),
        ("certificate", serde_json::to_string(certificate)),
        ("proof", serde_json::to_string(proof)),
    ];
    let parts = parts.map(|(name, json)| format!("\"{name}\":{}", json.unwrap()));
    assert_eq!(json, format!("{{{}}}", parts.join(",")));
    assert_eq!(serde_json::from_str::<Relayed<T>>(&json).unwrap(), *relayed);
    let json = serde_json::to_string(&action).unwrap();
    assert_eq!(serde_json::from_str::<Action>(&json).unwrap(), action);
}
