//! What a node says: of clocks, and of money.

use super::{Finding, Verdict};
use api::Client;
use std::time::{SystemTime, UNIX_EPOCH};
use types::{ChainId, Ppm};

/// Blocks say when they were made; one that is final was made a second or two ago.
const CLOCK_AHEAD_MAX: i64 = 1_000;
const CLOCK_BEHIND_MAX: i64 = 15_000;
/// What a node says: whether our clocks agree, and what this machine would earn.
pub(super) fn node(url: Option<&str>, chain: ChainId) -> Vec<Finding> {
    let Some(url) = url else {
        return vec![Finding::new("clock", Verdict::Skipped, "no node is named").next(
            "add --node URL to compare this clock with a chain, and to see what this machine would earn",
        )];
    };
    let asked = || -> Result<Vec<Finding>, api::ClientError> {
        let client = Client::new(url)?;
        let status = client.status()?;
        let newest = status.chains.iter().filter_map(|status| status.timestamp).max();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let mut findings = Vec::new();
        if let Some(newest) = newest {
            let apart = i64::try_from(now).unwrap_or(i64::MAX)
                - i64::try_from(newest.get()).unwrap_or(i64::MAX);
            let found = format!("{apart} ms after the newest final block");
            findings.push(match apart {
                apart if apart < -CLOCK_AHEAD_MAX => Finding::new("clock", Verdict::Bad, found)
                    .next("this clock is slow: set it with NTP (timedatectl set-ntp true)"),
                apart if apart > CLOCK_BEHIND_MAX => Finding::new("clock", Verdict::Warn, found)
                    .next("either this clock is fast, or the chain has stopped: compare with meshx status"),
                _ => Finding::new("clock", Verdict::Ok, found),
            });
        }
        findings.extend(status.chains.iter().filter_map(|chain| {
            let found = format!("{} stands still: {}", chain.chain, chain.standstill()?);
            let finding = Finding::new("chain", Verdict::Bad, found);
            Some(finding.next(
                "more than two thirds of the validators must answer: start those that are down, or check their network",
            ))
        }));
        let (params, market) = (client.params(chain)?, client.market(chain)?);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let demand = f64::from(market.demand.get()) / f64::from(Ppm::ONE.get());
        // For showing, so floats will do: a day of all cores, at the share of places that is paid for now.
        let day = params.rates.core_second.get() as f64 / 1e9 * 86_400.0 * cores as f64 * demand;
        let taken = [params.validators_bps, params.treasury_bps, params.burned_bps];
        let share = 1.0 - taken.into_iter().map(f64::from).sum::<f64>() / 10_000.0;
        let used = f64::from(market.utilisation_bps) / 100.0;
        findings.push(Finding::new(
            "earnings",
            Verdict::Ok,
            format!(
                "{:.2} MESHX a day if all {cores} cores were busy; {used:.0} % of all capacity is in use now, so expect about {:.2}",
                day * share,
                day * share * used / 100.0
            ),
        ));
        Ok(findings)
    };
    asked().unwrap_or_else(|error| {
        vec![
            Finding::new("node", Verdict::Bad, error.to_string().replace('\n', "; "))
                .next("check the address, and that the node runs"),
        ]
    })
}
