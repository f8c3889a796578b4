//! The description, the routes and the recorded file say the same.

use crate::{
    ask::{app, ask},
    fake::Fake,
};
use std::collections::BTreeSet;

/// `MESHX_UPDATE=1 cargo test -p meshx-api` records a description that was changed on purpose.
const UPDATE: &str = "MESHX_UPDATE";

#[test]
fn the_recorded_description_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(path, api::openapi()).unwrap();
    }
    let recorded = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        recorded == api::openapi(),
        "openapi.json is stale; if that is meant: {UPDATE}=1 cargo test -p meshx-api"
    );
}

#[tokio::test]
async fn every_described_operation_is_routed() {
    let description: serde_json::Value = serde_json::from_str(api::openapi()).unwrap();
    let app = app(&Fake::default());
    for (path, methods) in description["paths"].as_object().unwrap() {
        let uri = path.replace("{chain}", "XX").replace(['{', '}'], "");
        for method in methods.as_object().unwrap().keys() {
            let answer = ask(&app, &format!("{} {uri}", method.to_uppercase()), &[], "").await;
            let text = answer.text();
            assert!(
                answer.status != 405 && !text.contains("there is no route"),
                "{method} {path}: {text}"
            );
        }
    }
}

#[test]
fn every_route_is_described() {
    let description: serde_json::Value = serde_json::from_str(api::openapi()).unwrap();
    let described: BTreeSet<&str> =
        description["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let table = include_str!("../../src/routes/mod.rs");
    let table = table.split("fn open_routes").nth(1).unwrap().split("async fn").next().unwrap();
    let routed: BTreeSet<&str> =
        table.split('"').filter(|text| text.starts_with('/') && !text.contains('\n')).collect();
    let routed = &routed - &BTreeSet::from(["/", "/openapi.json"]);
    assert_eq!(described, routed);
}

#[tokio::test]
async fn the_node_serves_it() {
    let answer = ask(&app(&Fake::default()), "GET /openapi.json", &[], "").await;
    assert_eq!(
        (answer.header("content-type"), answer.text().as_str()),
        ("application/json", api::openapi())
    );
}
