//! By which ways others can come: Tor, NAT, router, TURN.

use super::{Finding, Verdict};
use overlay::{
    Tor, TurnServer,
    nat::{self, MapBy, NatKind},
};

pub(super) async fn tor(daemon: &Tor, used: bool) -> Finding {
    match overlay::tor_state(daemon).await {
        Ok(state) if state.starts_with("100 ") => Finding::new("tor", Verdict::Ok, state),
        Ok(state) => Finding::new("tor", Verdict::Warn, state)
            .next("wait until it is at 100 %; Tor's log says what delays it"),
        Err(error) if used => Finding::new("tor", Verdict::Bad, error.to_string())
            .next("start tor with the line \"ControlPort 9051\" in its torrc"),
        Err(_) => Finding::new(
            "tor",
            Verdict::Skipped,
            "no Tor daemon runs here; only --tor and --onion need one",
        ),
    }
}

pub(super) async fn nat_type(servers: &[String]) -> Finding {
    if servers.is_empty() {
        return Finding::new("nat", Verdict::Skipped, "no STUN server is named")
            .next("add --stun HOST:PORT twice: two servers show the kind of NAT");
    }
    match nat::nat_kind(servers).await {
        Err(error) => Finding::new("nat", Verdict::Warn, error.to_string().replace('\n', "; "))
            .next("UDP may be blocked; a node only needs TCP, so it still works"),
        Ok((kind, seen)) => {
            let outside = seen.first().map(|seen| seen.mapped.to_string()).unwrap_or_default();
            match kind {
                NatKind::None => Finding::new("nat", Verdict::Ok, format!("none: {outside}")),
                NatKind::EndpointIndependent => Finding::new(
                    "nat",
                    Verdict::Ok,
                    format!(
                        "cone (the same outside address for all peers): {outside}; hole punching works"
                    ),
                ),
                NatKind::EndpointDependent => {
                    let all: Vec<String> =
                        seen.iter().map(|seen| seen.mapped.to_string()).collect();
                    Finding::new(
                        "nat",
                        Verdict::Warn,
                        format!("symmetric (another outside address for each peer): {}", all.join(", ")),
                    )
                    .next("others reach this machine through a forwarded port or a relay; it can connect to others")
                }
                NatKind::Unknown => Finding::new(
                    "nat",
                    Verdict::Warn,
                    format!("a NAT of unknown kind: {outside}; one server answered"),
                )
                .next("name a second --stun server"),
            }
        }
    }
}

pub(super) async fn router(port: u16) -> Finding {
    let Some((gateway, local)) = nat::local_gateway() else {
        return Finding::new("router", Verdict::Skipped, "no router was found");
    };
    if nat::is_global(local) {
        return Finding::new(
            "router",
            Verdict::Ok,
            format!("{local} is on the internet: no router is needed"),
        );
    }
    let (mut speaks, mut outside) = (Vec::new(), None);
    for by in MapBy::ALL {
        if let Ok(mapping) = nat::map(port, by).await {
            speaks.push(by.name());
            outside = Some(mapping.external);
            nat::unmap(mapping).await;
        }
    }
    match outside {
        None => Finding::new("router", Verdict::Warn, format!("{gateway} forwards no port"))
            .next("enable UPnP or PCP in the router, or forward a TCP port by hand and name it with --announce"),
        Some(outside) if !nat::is_global(outside.ip()) => Finding::new(
            "router",
            Verdict::Warn,
            format!(
                "{gateway} speaks {}, but is itself behind another NAT ({outside})",
                speaks.join(", ")
            ),
        )
        .next("this is the provider's NAT: others reach this machine through relays"),
        Some(outside) => Finding::new(
            "router",
            Verdict::Ok,
            format!("{gateway} speaks {} and can forward {outside}", speaks.join(", ")),
        ),
    }
}

pub(super) async fn turn(server: Option<&TurnServer>) -> Finding {
    let Some(server) = server else {
        return Finding::new("turn", Verdict::Skipped, "no TURN server is named");
    };
    match overlay::turn_state(server).await {
        Ok(address) => {
            let found = format!("{} accepts peers at {address}", server.place);
            Finding::new("turn", Verdict::Ok, found)
        }
        Err(error) => Finding::new("turn", Verdict::Bad, format!("{}: {error}", server.place))
            .next("check the name and the password, and that the server supports TCP (RFC 6062)"),
    }
}
