//! Routes about prices, stake and earnings.

use super::ChainAsked;
use crate::{
    AttestationView, Backend, Code, EarningsView, FaucetAsked, FaucetGave, MarketView, PeriodView,
    PresenceView, Problem, StakeView, ValidatorView,
    app::{App, within},
    extract::{Asked, Segments, parse, read_body, required_chain},
};
use axum::{Json, body::Body, extract::State, http::HeaderMap};
use types::{EquivocationProof, governance::Proposal};

/// What moves with load on a chain: base fee, demand, utilisation; and its money.
#[utoipa::path(get, path = "/v1/market", tag = "economy",
    params(("chain" = String, Query, description = "backbone, NA, EU, AS, SA, AF, OC or AN")),
    responses((status = 200, body = MarketView), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn market<B: Backend>(
    State(app): State<App<B>>,
    Asked(asked): Asked<ChainAsked>,
) -> Result<Json<MarketView>, Problem> {
    let chain = required_chain(asked.chain.as_deref())?;
    app.ask(app.backend.market(chain)).await.map(Json)
}

/// All validators that ever bonded, the first first.
#[utoipa::path(get, path = "/v1/validators", tag = "economy",
    responses((status = 200, body = [ValidatorView]), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn validators<B: Backend>(
    State(app): State<App<B>>,
) -> Result<Json<Vec<ValidatorView>>, Problem> {
    app.ask(app.backend.validators()).await.map(Json)
}

/// What an account has at stake.
#[utoipa::path(get, path = "/v1/stake/{address}", tag = "economy",
    params(("address" = String, Path, description = "bech32m, meshx1…")),
    responses((status = 200, body = StakeView), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn stake<B: Backend>(
    State(app): State<App<B>>,
    Segments(address): Segments<String>,
) -> Result<Json<StakeView>, Problem> {
    let address = parse(&address)?;
    app.ask(app.backend.stake(address)).await.map(Json)
}

/// What an account has earned on a chain, by how.
#[utoipa::path(get, path = "/v1/earnings/{address}", tag = "economy",
    params(("address" = String, Path, description = "bech32m, meshx1…"),
        ("chain" = String, Query, description = "backbone, NA, EU, AS, SA, AF, OC or AN")),
    responses((status = 200, body = EarningsView), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn earnings<B: Backend>(
    State(app): State<App<B>>,
    Segments(address): Segments<String>,
    Asked(asked): Asked<ChainAsked>,
) -> Result<Json<EarningsView>, Problem> {
    let (address, chain) = (parse(&address)?, required_chain(asked.chain.as_deref())?);
    app.ask(app.backend.earnings(chain, address)).await.map(Json)
}

/// What an account's machine proved, and what new evidence must answer.
#[utoipa::path(get, path = "/v1/attestation/{address}", tag = "economy",
    params(("address" = String, Path, description = "bech32m, meshx1…"),
        ("chain" = String, Query, description = "backbone, NA, EU, AS, SA, AF, OC or AN")),
    responses((status = 200, body = AttestationView), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn attestation<B: Backend>(
    State(app): State<App<B>>,
    Segments(address): Segments<String>,
    Asked(asked): Asked<ChainAsked>,
) -> Result<Json<AttestationView>, Problem> {
    let (address, chain) = (parse(&address)?, required_chain(asked.chain.as_deref())?);
    app.ask(app.backend.attestation(chain, address)).await.map(Json)
}

/// Where an operator's validator stands, by its newest certificate, and the seats it has.
#[utoipa::path(get, path = "/v1/presence/{address}", tag = "economy",
    params(("address" = String, Path, description = "bech32m, meshx1…")),
    responses((status = 200, body = PresenceView), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn presence<B: Backend>(
    State(app): State<App<B>>,
    Segments(address): Segments<String>,
) -> Result<Json<PresenceView>, Problem> {
    let address = parse(&address)?;
    app.ask(app.backend.presence(address)).await.map(Json)
}

/// The period that is on: who witnesses, what is measured between them, the seed and the rules.
#[utoipa::path(get, path = "/v1/period", tag = "economy",
    responses((status = 200, body = PeriodView), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn period<B: Backend>(
    State(app): State<App<B>>,
) -> Result<Json<PeriodView>, Problem> {
    app.ask(app.backend.period()).await.map(Json)
}

/// All proposals, the newest first.
#[utoipa::path(get, path = "/v1/proposals", tag = "economy",
    responses((status = 200, body = [crate::noun::Proposal]), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn proposals<B: Backend>(
    State(app): State<App<B>>,
) -> Result<Json<Vec<Proposal>>, Problem> {
    app.ask(app.backend.proposals()).await.map(Json)
}

/// Proofs of double signing that this node has come across since it started: a `report` of one slashes.
#[utoipa::path(get, path = "/v1/equivocations", tag = "economy",
    responses((status = 200, body = [crate::noun::EquivocationProof]), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn equivocations<B: Backend>(
    State(app): State<App<B>>,
) -> Result<Json<Vec<EquivocationProof>>, Problem> {
    app.ask(app.backend.equivocations()).await.map(Json)
}

/// Ask the faucet of a development network for money. No other network has one.
#[utoipa::path(post, path = "/v1/faucet", tag = "economy", request_body = FaucetAsked,
    responses((status = 200, body = FaucetGave), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn faucet<B: Backend>(
    State(app): State<App<B>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<FaucetGave>, Problem> {
    let body = read_body(&app.limits, &headers, body).await?;
    let asked: FaucetAsked = serde_json::from_slice(&body)
        .map_err(|error| Problem::new(Code::BadJson, error.to_string()))?;
    within(app.limits.final_timeout, app.backend.faucet(asked)).await.map(Json)
}
