//! Routes about accounts.

use super::ChainAsked;
use crate::{
    AccountView, Backend, Problem,
    app::App,
    extract::{Asked, Segments, parse, required_chain},
};
use axum::{Json, extract::State};

/// An account on one chain. One that was never used is there, and empty.
#[utoipa::path(get, path = "/v1/accounts/{address}", tag = "accounts",
    params(("address" = String, Path, description = "bech32m, meshx1…"),
        ("chain" = String, Query, description = "backbone, NA, EU, AS, SA, AF, OC or AN")),
    responses((status = 200, body = AccountView), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn account<B: Backend>(
    State(app): State<App<B>>,
    Segments(address): Segments<String>,
    Asked(asked): Asked<ChainAsked>,
) -> Result<Json<AccountView>, Problem> {
    let (address, chain) = (parse(&address)?, required_chain(asked.chain.as_deref())?);
    app.ask(app.backend.account(chain, address)).await.map(Json)
}
