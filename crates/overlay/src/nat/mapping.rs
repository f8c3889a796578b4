//! Ask the router to pass a port on to this machine.

use crab_nat::{
    GatewayAddress, InternetProtocol, PortMapping, PortMappingOptions, PortMappingType,
    TimeoutConfig, natpmp, pcp,
};
use igd_next::{PortMappingProtocol, SearchOptions, aio::tokio::search_gateway};
use serde::Serialize;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    num::NonZeroU16,
    time::{Duration, Instant},
};

/// A mapping is asked for this long, and renewed at half of what it is given.
const LIFETIME_SECONDS: u32 = 3_600;
/// Routers are asked as often as RFC 6886 says, but not for a minute.
const PATIENCE: TimeoutConfig = TimeoutConfig {
    initial_timeout: Duration::from_millis(250),
    max_retries: 3,
    max_retry_timeout: Some(Duration::from_secs(1)),
};
const UPNP_PATIENCE: Duration = Duration::from_secs(4);

/// Which protocol the router speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapBy {
    /// RFC 6887.
    Pcp,
    /// RFC 6886.
    NatPmp,
    /// UPnP Internet Gateway Device.
    Upnp,
}

impl MapBy {
    /// Every protocol, in the order in which they are tried.
    pub const ALL: [Self; 3] = [Self::Pcp, Self::NatPmp, Self::Upnp];

    /// What people call the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcp => "PCP",
            Self::NatPmp => "NAT-PMP",
            Self::Upnp => "UPnP",
        }
    }
}

/// A TCP port of the router that leads here.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The protocol by which the router granted it.
    pub by: MapBy,
    /// The router's address and port, as others dial it.
    pub external: SocketAddr,
    /// The port of this machine that it leads to.
    pub internal_port: u16,
    /// Until then it is to be renewed.
    pub renew_at: Instant,
    /// What PCP and NAT-PMP need to give it back.
    made: Option<Box<PortMapping>>,
}

/// Why the router passes no port on to this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum MappingError {
    #[error("no router was found")]
    NoGateway,
    #[error("the router does not speak {}: {error}", by.name())]
    Refused { by: MapBy, error: String },
    #[error("port 0 cannot be forwarded")]
    Port,
}

/// The router of this machine, and this machine's address towards it. Linux tells.
#[must_use]
pub fn local_gateway() -> Option<(Ipv4Addr, IpAddr)> {
    let table = std::fs::read_to_string("/proc/net/route").ok()?;
    let gateway = gateway_of(&table)?;
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    socket.connect((gateway, 9)).ok()?;
    Some((gateway, socket.local_addr().ok()?.ip()))
}

/// The gateway of the default route in the kernel's table: hexadecimal, as a little-endian machine has it in memory.
fn gateway_of(table: &str) -> Option<Ipv4Addr> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (destination, gateway) = (*fields.get(1)?, *fields.get(2)?);
        let gateway = u32::from_str_radix(gateway, 16).ok()?;
        (destination == "00000000" && gateway != 0).then(|| Ipv4Addr::from(gateway.to_ne_bytes()))
    })
}

/// Have the router pass `port` on to this machine, by the protocol `by`.
///
/// # Errors
/// [`MappingError`].
pub async fn map(port: u16, by: MapBy) -> Result<Mapping, MappingError> {
    let (gateway, local) = local_gateway().ok_or(MappingError::NoGateway)?;
    let internal = NonZeroU16::new(port).ok_or(MappingError::Port)?;
    let refused = |error: String| MappingError::Refused { by, error };
    let gateway_address = GatewayAddress::IpV4(gateway);
    let options = PortMappingOptions {
        external_port: Some(internal),
        lifetime_seconds: Some(LIFETIME_SECONDS),
        timeout_config: Some(PATIENCE),
    };
    match by {
        MapBy::Pcp => {
            let request =
                pcp::BaseMapRequest::new(gateway_address, local, InternetProtocol::Tcp, internal);
            let made = pcp::port_mapping(request, None, None, options)
                .await
                .map_err(|error| refused(error.to_string()))?;
            let PortMappingType::Pcp { external_ip, .. } = made.mapping_type() else {
                return Err(refused("it answered in another protocol".to_owned()));
            };
            Ok(kept(by, external_ip.to_canonical(), made))
        }
        MapBy::NatPmp => {
            let ip = natpmp::external_address(gateway_address, Some(PATIENCE))
                .await
                .map_err(|error| refused(error.to_string()))?;
            let made =
                natpmp::port_mapping(gateway_address, InternetProtocol::Tcp, internal, options)
                    .await
                    .map_err(|error| refused(error.to_string()))?;
            Ok(kept(by, ip.into(), made))
        }
        MapBy::Upnp => {
            let mut options = SearchOptions::default();
            options.timeout = Some(UPNP_PATIENCE);
            options.single_search_timeout = Some(UPNP_PATIENCE);
            let router =
                search_gateway(options).await.map_err(|error| refused(error.to_string()))?;
            let ip = router.get_external_ip().await.map_err(|error| refused(error.to_string()))?;
            let here = SocketAddr::new(local, port);
            let (protocol, name) = (PortMappingProtocol::TCP, "meshx");
            let external = match router.add_port(protocol, port, here, LIFETIME_SECONDS, name).await
            {
                Ok(()) => port,
                // Somebody else in this house has it.
                Err(_) => router
                    .add_any_port(protocol, here, LIFETIME_SECONDS, name)
                    .await
                    .map_err(|error| refused(error.to_string()))?,
            };
            Ok(Mapping {
                by,
                external: SocketAddr::new(ip, external),
                internal_port: port,
                renew_at: half(LIFETIME_SECONDS),
                made: None,
            })
        }
    }
}

fn kept(by: MapBy, ip: IpAddr, made: PortMapping) -> Mapping {
    Mapping {
        by,
        external: SocketAddr::new(ip, made.external_port().get()),
        internal_port: made.internal_port().get(),
        renew_at: half(made.lifetime()),
        made: Some(Box::new(made)),
    }
}

fn half(seconds: u32) -> Instant {
    Instant::now() + Duration::from_secs(u64::from(seconds.max(2)) / 2)
}

/// Give the port back.
pub async fn unmap(mapping: Mapping) {
    match mapping.made {
        Some(made) => drop(made.try_drop().await),
        None => {
            let mut options = SearchOptions::default();
            options.timeout = Some(UPNP_PATIENCE);
            if let Ok(router) = search_gateway(options).await {
                let port = mapping.external.port();
                drop(router.remove_port(PortMappingProtocol::TCP, port).await);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_route_names_the_router() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n\
                     eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n\
                     eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\n";
        if cfg!(target_endian = "little") {
            assert_eq!(gateway_of(table), Some(Ipv4Addr::new(192, 168, 2, 1)));
        }
        assert_eq!(gateway_of("Iface\nlo\t00000000\t00000000\n"), None);
        assert_eq!(gateway_of("Iface\neth0\t00000000\tnonsense\n"), None);
        assert_eq!(gateway_of(""), None);
    }
}
