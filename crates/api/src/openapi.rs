//! The description of the API, for people and generators.

use crate::{noun, routes};
use std::sync::LazyLock;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "MeshX",
        description = "An open market for computation.\n\n\
            Amounts are decimal strings of nano-MESHX, hashes and bytes lowercase hex, addresses bech32m, \
            moments and durations milliseconds. Every error is a problem (RFC 9457) with a stable `code`.",
        license(name = "Apache-2.0 OR MIT")
    ),
    paths(
        routes::status,
        routes::genesis,
        routes::params,
        routes::market,
        routes::validators,
        routes::stake,
        routes::earnings,
        routes::attestation,
        routes::presence,
        routes::period,
        routes::proposals,
        routes::equivocations,
        routes::faucet,
        routes::account,
        routes::submit,
        routes::put_blob,
        routes::post_blob,
        routes::blob,
        routes::blob_len,
        routes::jobs,
        routes::job,
        routes::stdout,
        routes::stderr,
        routes::files,
        routes::file,
        routes::receipt,
        routes::why,
        routes::job_events,
        routes::workers,
        routes::worker,
        routes::duties,
        routes::block,
        routes::blocks,
        routes::proof,
        routes::healthz,
        routes::readyz,
        routes::metrics
    ),
    components(
        responses(noun::Problem),
        schemas(noun::Problem, crate::JobView, crate::BlockView, crate::OutputChunk)
    )
)]
struct Description;

/// The description of the API: what `/openapi.json` serves and `crates/api/openapi.json` records.
pub fn openapi() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(|| {
        let mut json =
            Description::openapi().to_pretty_json().expect("strings and numbers become JSON");
        json.push('\n');
        json
    });
    &JSON
}
