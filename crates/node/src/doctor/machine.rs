//! What the machine has: processor, memory, disk, and a port to listen on.

use super::{Finding, Verdict};
use crate::{FREE_BYTES_MIN, free_bytes};
use std::{fs, net::TcpListener, path::Path};

/// A node needs this much to keep blobs and, if it validates, a chain.
const DISK_WANTED: u64 = 10 << 30;
const MEMORY_WANTED: u64 = 2 << 30;
pub(super) fn cpu() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut features = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        features.extend(std::arch::is_x86_feature_detected!("sha").then_some("SHA"));
        features.extend(std::arch::is_x86_feature_detected!("avx2").then_some("AVX2"));
        features
            .extend(std::arch::is_x86_feature_detected!("avx512ifma").then_some("AVX-512 IFMA"));
    }
    let known = if features.is_empty() {
        "none of the instructions that MeshX uses"
    } else {
        &features.join(", ")
    };
    let found = format!("{cores} cores, {} with {known}", std::env::consts::ARCH);
    let fast = features.contains(&"AVX2") || cfg!(not(target_arch = "x86_64"));
    if fast {
        Finding::new("cpu", Verdict::Ok, found)
    } else {
        Finding::new("cpu", Verdict::Warn, found).next(
            "this processor checks signatures at half the speed: enough for an edge, slow for a validator",
        )
    }
}

pub(super) fn memory() -> Finding {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("MemAvailable"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    match kib.map(|kib| kib << 10) {
        None => Finding::new("memory", Verdict::Skipped, "this system does not report it"),
        Some(free) if free >= MEMORY_WANTED => {
            Finding::new("memory", Verdict::Ok, format!("{} MiB free", free >> 20))
        }
        Some(free) => Finding::new("memory", Verdict::Warn, format!("{} MiB free", free >> 20))
            .next("jobs may ask for a GiB: offer --capacity 1"),
    }
}

pub(super) fn disk(dir: &Path) -> Finding {
    let exists = dir.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
    match free_bytes(exists) {
        None => Finding::new("disk", Verdict::Skipped, "this system does not report it"),
        Some(free) if free < FREE_BYTES_MIN => Finding::new(
            "disk",
            Verdict::Bad,
            format!("{} MiB free at {}", free >> 20, dir.display()),
        )
        .next("make room, or choose another folder with --dir"),
        Some(free) => {
            let verdict = if free >= DISK_WANTED { Verdict::Ok } else { Verdict::Warn };
            Finding::new("disk", verdict, format!("{} GiB free at {}", free >> 30, dir.display()))
        }
    }
}

pub(super) fn port(port: u16) -> Finding {
    match TcpListener::bind(("0.0.0.0", port)) {
        Ok(_) => Finding::new("port", Verdict::Ok, format!("{port} is free to listen on")),
        Err(error) => Finding::new("port", Verdict::Warn, format!("{port}: {error}")).next(
            "a running node may use this port; otherwise choose another one with --port and --listen",
        ),
    }
}
